"""`leco predict`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leco.cli.output import JsonLines, quiet_stdout
from leco.cli.parameters import CriterionText, Device, Json, ModelPath, chosen_criterion, part, with_options
from leco.devices import AUTO
from leco.loading import BF16, load
from leco.provenance import source_for
from leco.runtime.texts import checked_kind
from leco.settings import SourceOptions

if TYPE_CHECKING:
    from leco.runtime import Answer


@with_options(part(SourceOptions(), "text_columns"))
def command(
    path: ModelPath,
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
    device: Device = AUTO,
    json: Json = False,
) -> None:
    """Answer texts: for each a line of JSON with its label, the label's score and the layer at which it left.

    Example: echo 'a wonderful film' | leco predict leco-demo
    """
    with quiet_stdout():
        from leco.data import cut_line, read_texts
        from leco.progress import say

        chosen = chosen_criterion(criterion)
        predictor = load(path, device=device, precision=BF16 if bf16 else None, compile=compile)
        if file is None and sys.stdin.isatty():
            say("Reading texts from the terminal, one on each line. End with Ctrl-D.")
        columns = source_for(predictor.trained_on, options).text_columns
        pieces = read_texts("-" if file is None else file, text_columns=columns, log=say)
    cut: list[int] = []
    number = 0
    with JsonLines("answers" if json else None) as lines:
        while True:
            with quiet_stdout():
                texts = list(checked_kind(iter(next(pieces, [])), predictor.trained_on))
                answers = predictor.answer(predictor.encode(texts, cut.append), chosen, batch_size)
            if not texts:
                break
            number += len(texts)
            lines.print([_row(answer) for answer in answers])
    if sum(cut):
        say(cut_line(sum(cut), number, predictor.max_length))


def _row(answer: "Answer") -> dict[str, Any]:
    score = answer.scores[answer.label] if isinstance(answer.label, str) else None
    return {"label": answer.label, "score": score, "exit_layer": answer.exit_layer}
