"""`leco predict`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from leco.bulk.answering import Answering, in_columns
from leco.bulk.options import BulkOptions
from leco.calibration import MonitorOptions
from leco.cli.bulk import check_bulk_options, is_bulk, predict_folders
from leco.cli.output import JsonLines, print_json, print_lines, quiet_stdout, say_doubt
from leco.cli.parameters import CriterionText, Device, Json, ModelPath, chosen_criterion, part, with_options
from leco.devices import AUTO
from leco.errors import LecoError, parameter
from leco.loading import BF16, PredictorSpec
from leco.runtime import monitor_options, watched
from leco.settings import SourceOptions

if TYPE_CHECKING:
    from leco.data import Rows

Empty = Literal["null", "answer"]
Scores = Literal["label", "all"]
Answered: TypeAlias = Iterator[tuple["Rows", list[dict[str, Any]]]]
MARK = b"exit_layer"
"""In every file of answers."""

INPUT_HELP = (
    "Texts: a line each, or CSV, TSV, JSONL, Parquet; by default stdin (-). Several, folders, patterns or addresses "
    "(s3://...) of tables are answered part by part, into the folder of --output."
)
FORMAT_HELP = "txt (a text on each line), csv, tsv, jsonl, json or parquet; by default the suffix of FILE, or else txt."
BATCH_HELP = "Texts that run together; by default 1, and 32 for folders."
EMPTY_HELP = "A row without a text: null, with the reason, or answer it as an empty text, which is marked."
SCORES_HELP = "The score of the label, or of all labels."
OUTPUT_HELP = (
    "File (.csv, .tsv, .jsonl, .parquet) for the rows with all their columns and label, score and exit_layer; for "
    "folders a folder, in which a killed job continues."
)


@with_options(
    part(SourceOptions(), "text_columns", "delimiter", "encoding", "header"),
    MonitorOptions(),
    part(BulkOptions(), "engine", "workers", "ray_address"),
)
def command(
    path: ModelPath,
    options: dict[str, Any],
    inputs: Annotated[list[str] | None, typer.Argument(help=INPUT_HELP, metavar="[FILE|DIR]...")] = None,
    format: Annotated[str | None, typer.Option("--format", help=FORMAT_HELP, metavar="FORMAT")] = None,
    criterion: CriterionText = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, help=BATCH_HELP)] = None,
    empty: Annotated[Empty, typer.Option("--empty", help=EMPTY_HELP)] = "null",
    scores: Annotated[Scores, typer.Option("--scores", help=SCORES_HELP)] = "label",
    output: Annotated[str | None, typer.Option("--output", help=OUTPUT_HELP, metavar="FILE|DIR")] = None,
    bf16: Annotated[bool, typer.Option("--bf16", help="Keep the backbone in bfloat16.")] = False,
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile each layer: slower at first, then faster.")
    ] = False,
    device: Device = AUTO,
    json: Json = False,
) -> None:
    """Answer texts: for each row, in order, a line of JSON with its label, the label's score and the layer at which it
    left. No row is left out.

    Example: echo 'a wonderful film' | leco predict leco-demo

    Folders: leco predict leco-demo reviews/ --output answers --workers 2
    """
    spec = PredictorSpec(path, device=device, precision=BF16 if bf16 else None, compile=compile)
    given = inputs or ["-"]
    if is_bulk(given):
        how = {"batch_size": batch_size, "empty": empty, "scores": scores, "format": format}
        settings = {**options, **{name: value for name, value in how.items() if value is not None}}
        raise typer.Exit(predict_folders(spec, given, output, criterion, settings, json=json))
    check_bulk_options(given[0], options)
    watching = monitor_options(options)
    source = given[0] if given[0] == "-" else Path(given[0])
    target = None if output is None else Path(output)
    with quiet_stdout():
        from leco.data import number_of_rows, read_rows, source_for
        from leco.progress import progress_bar, say

        chosen = chosen_criterion(criterion)
        if target is not None:
            _check(target, source)
        predictor = spec.load()
        say_doubt(predictor, chosen)
        predictor = watched(predictor, watching, chosen, say)
        answering = Answering(predictor, chosen, batch_size or 1, empty, scores)
        typed = str(source) == "-" and sys.stdin.isatty()
        if typed:
            say("Reading texts from the terminal, one on each line. End with Ctrl-D.")
        where = source_for(predictor.trained_on, options, source)
        pieces = read_rows(source, format=format, text_columns=where.text_columns, where=where, log=say)
    answered = _answered(pieces, answering)
    if typed or (target is None and sys.stdout.isatty()):  # answers are seen as they come
        _print(answered, json=json)
    else:
        with progress_bar("answering", number_of_rows(source, format), unit="rows") as advance:
            counted = _counted(answered, advance)
            renamed = _print(counted, json=json) if target is None else _save(counted, target)
    for line in answering.notes():
        say(line)
    if target is not None:
        _print_saved(target, answering, renamed, json=json)


def _check(output: Path, source: str | Path) -> None:
    """LecoError unless the answers can be written there."""
    from leco.data.writers import check_suffix
    from leco.folders import check_writable
    from leco.outputs import check_output

    check_suffix(output)
    if Path(source).exists() and output.exists() and output.samefile(source):
        raise LecoError(f"{parameter('output')} '{output}' is the file of the texts. Give another name.")
    check_output(output, MARK, at_end=output.suffix.lower() == ".parquet")
    check_writable(output.parent)


def _answered(pieces: Iterator["Rows"], answering: Answering) -> Answered:
    """The rows and what is said of them, piece by piece."""
    while True:
        with quiet_stdout():
            rows = next(pieces, None)
            answers = [] if rows is None else answering.answer(rows)
        if rows is None:
            return
        yield rows, answers


def _counted(answered: Answered, advance: Callable[[int], None]) -> Answered:
    for rows, answers in answered:
        yield rows, answers
        advance(len(answers))


def _print(answered: Answered, *, json: bool) -> dict[str, str]:
    """Print the answers as they come."""
    with JsonLines("answers" if json else None) as lines:
        for _, answers in answered:
            lines.print(answers)
    return {}


def _save(answered: Answered, output: Path) -> dict[str, str]:
    """Write all rows with their answers, once these are there; gives the columns that had to have other names."""
    from leco.data.writers import growing_table
    from leco.folders import SHORTLY, holding, writing

    with writing(output.parent), growing_table(output.parent) as table:
        for rows, answers in answered:
            table.add(rows.columns, in_columns(answers, flat=output.suffix.lower() != ".jsonl"))
        with holding(output.parent, wait=SHORTLY):
            table.write(output)
        return {name: new for name, new in table.renamed.items() if new != name}


def _print_saved(output: Path, answering: Answering, renamed: dict[str, str], *, json: bool) -> None:
    if json:
        counts = {"rows": answering.rows, "without_text": answering.without_text}
        print_json({"output": str(output), **counts, "renamed": renamed})
        return
    print_lines(f"Saved as {output}: {answering.rows} rows with their answers.")
    for name, new in renamed.items():
        print_lines(f"The texts have a column '{name}' already: the answers' is '{new}'.")
