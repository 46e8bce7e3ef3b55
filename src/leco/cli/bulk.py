"""`leco predict` with folders."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leco.bulk.options import BulkOptions
from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import chosen_criterion
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.loading import PredictorSpec
from leco.options import fill
from leco.runtime import monitor_options

if TYPE_CHECKING:
    from leco.bulk import Summary

FAILED = 1
"""The exit code where a part could not be answered."""


def is_bulk(inputs: Sequence[str]) -> bool:
    """Whether they are to be answered part by part: all but one file, or the standard input."""
    from leco.bulk.parts import are_parts

    return are_parts(inputs)


def check_bulk_options(source: str, options: Mapping[str, Any]) -> None:
    """LecoError for a setting of folders beside one file."""
    if given := [name for name in ("engine", "workers", "ray_address") if options.get(name) is not None]:
        raise LecoError(
            f"{parameter(given[0])} is for folders, which are answered part by part, and '{shortened(source)}' is one "
            "file. Give the folder that it is in, or several files."
        )


def predict_folders(
    spec: PredictorSpec,
    inputs: Sequence[str],
    output: str | None,
    criterion: str | None,
    settings: Mapping[str, Any],
    *,
    json: bool,
) -> int:
    """Answer them into the folder `output` by what is given of `settings`, and print what came of it.

    Gives the exit code.
    """
    with quiet_stdout():
        from leco.bulk import Request, answer_parts
        from leco.bulk.plan import READ_BY
        from leco.progress import say

        if output is None:
            raise LecoError(f"Give {parameter('output')}, a folder for the answers of several files.")
        source = {name: settings[name] for name in READ_BY if name in settings}
        bulk, watching = fill(BulkOptions(), settings), monitor_options(settings)
        done = answer_parts(Request(spec, inputs, output, chosen_criterion(criterion), bulk, source, watching))
    for name, problem in done.failed.items():
        say(f"Not answered: {shortened(name, 200)}: {problem}")
    if json:
        print_json({"output": output, **vars(done)})
    else:
        _print(done, output)
    return FAILED if done.failed else 0


def _print(done: "Summary", output: str) -> None:
    speed = f", {done.answered / done.seconds:,.0f} rows/s" if done.answered and done.seconds else ""
    now = f"{done.answered:,} of them now{speed}"
    print_lines(f"In {output}: {done.parts} parts with {done.rows:,} rows and their answers ({now}).")
    if done.without_text or done.truncated:
        print_lines(f"{done.without_text:,} rows have no text, and {done.truncated:,} texts were cut.")
    for name, new in done.renamed.items():
        print_lines(f"The texts have a column '{name}' already: the answers' is '{new}'.")
