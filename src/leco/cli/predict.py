"""`leco predict`."""

import json as json_format
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from leco.cli.output import print_json, quiet_stdout
from leco.cli.parameters import SOURCE, CriterionText, Json, ModelFolder, chosen_criterion, with_options

CHUNK = 1024
"""Texts that are answered together: enough to form batches of similar length, few enough to see answers soon."""


@with_options(shared={"text_columns": SOURCE["text_columns"]})
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
        from leco.data import encode, read_texts
        from leco.model import load_model
        from leco.progress import say

        chosen = chosen_criterion(criterion)
        model = load_model(folder).prepare(bf16=bf16, compile=compile)
        if file is None and sys.stdin.isatty():
            say("Reading texts from the terminal, one on each line. End with Ctrl-D.")
        texts = read_texts("-" if file is None else file, **options, log=say)
        encode(model.tokenizer, texts, model.max_length, log=say)  # says what is cut
    rows: list[dict[str, Any]] = []
    for start in range(0, len(texts), CHUNK):
        with quiet_stdout():
            answers = model.predict(texts[start : start + CHUNK], criterion=chosen, batch_size=batch_size)
        for answer in answers:
            score = answer.scores[answer.label] if isinstance(answer.label, str) else None
            row = {"label": answer.label, "score": score, "exit_layer": answer.exit_layer}
            if json:
                rows.append(row)
            else:
                sys.stdout.write(json_format.dumps(row, ensure_ascii=False) + "\n")
    if json:
        print_json({"answers": rows})
