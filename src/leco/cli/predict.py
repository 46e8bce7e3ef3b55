"""`leco predict`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leco.cli.output import JsonLines, quiet_stdout
from leco.cli.parameters import CriterionText, Json, ModelFolder, chosen_criterion, part, with_options
from leco.settings import SourceOptions

if TYPE_CHECKING:
    from leco.runtime import Answer


@with_options(part(SourceOptions(), "text_columns"))
def command(
    folder: ModelFolder,
    options: dict[str, Any],
    file: Annotated[
        Path | None,
        typer.Argument(help="Texts: a line each, or CSV, TSV, JSONL, Parquet; by default stdin.", metavar="[FILE]"),
    ] = None,
    criterion: CriterionText = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Texts that run together.")] = 1,
    bf16: Annotated[bool, typer.Option("--bf16", help="Keep the backbone in bfloat16.")] = False,
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile each layer: slower at first, then faster.")
    ] = False,
    json: Json = False,
) -> None:
    """Answer texts: for each a line of JSON with its label, the label's score and the layer at which it left.

    Example: echo 'a wonderful film' | leco predict leco-demo
    """
    with quiet_stdout():
        from leco.data import cut_line, encode_and_count, read_texts
        from leco.model import load_model
        from leco.progress import say

        chosen = chosen_criterion(criterion)
        model = load_model(folder).prepare(bf16=bf16, compile=compile)
        if file is None and sys.stdin.isatty():
            say("Reading texts from the terminal, one on each line. End with Ctrl-D.")
        pieces = read_texts("-" if file is None else file, **options, log=say)
    cut = number = 0
    with JsonLines("answers" if json else None) as lines:
        while True:
            with quiet_stdout():
                texts = next(pieces, [])
                encodings, long = encode_and_count(model.tokenizer, texts, model.max_length)
                answers = model.answer(encodings, chosen, batch_size)
            if not texts:
                break
            cut, number = cut + long, number + len(texts)
            lines.print([_row(answer) for answer in answers])
    if cut:
        say(cut_line(cut, number, model.max_length))


def _row(answer: "Answer") -> dict[str, Any]:
    score = answer.scores[answer.label] if isinstance(answer.label, str) else None
    return {"label": answer.label, "score": score, "exit_layer": answer.exit_layer}
