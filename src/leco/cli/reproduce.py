"""`leco reproduce`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import Json, part, with_options
from leco.errors import LecoError, parameter
from leco.options import fill
from leco.settings import SourceOptions, TablesOptions
from leco.training.options import RunOptions

TABLES = "table2, table3, table4, table5, table6, figure2 or all"
RUN = ("bf16", "device")
"""The settings of a run that all cells share."""


@with_options(part(SourceOptions(), "glue_dir"), TablesOptions(), part(RunOptions(), *RUN))
def command(
    table: Annotated[str, typer.Argument(help=f"{TABLES}.", metavar="TABLE")],
    options: dict[str, Any],
    output: Annotated[Path, typer.Option("--output", help="Folder for tables and their cells.")] = Path("results"),
    records: Annotated[
        list[Path] | None,
        typer.Option("--import", help="First add cells that ran elsewhere: a JSON Lines file of another --output."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run and about how long it takes.")] = False,
    json: Json = False,
) -> None:
    """Train and score the cells of the paper's tables and figure, and write these from the cells that are finished.

    Example: leco reproduce table2 --tasks rte,cola --seeds 3 --preset quick --glue-dir glue --dry-run
    """
    with quiet_stdout():
        from leco.folders import check_writable, writing
        from leco.progress import say
        from leco.reproduction import PaperTables
        from leco.reproduction.estimate import estimated_hours
        from leco.reproduction.grids import parse_train_rows
        from leco.reproduction.scheduler import ENGINES

        source, wanted = fill(SourceOptions(), options), fill(TablesOptions(), options)
        run = {name: value for name, value in options.items() if name in RUN and value != getattr(RunOptions(), name)}
        names = [task.strip() for task in wanted.tasks.split(",")]
        paper = PaperTables(
            table,
            root=output,
            tasks=names,
            seeds=wanted.seeds,
            only=wanted.only,
            model=wanted.model,
            preset=wanted.preset,
            options=run,
            train_rows=parse_train_rows(wanted.train_rows, names) if wanted.train_rows else {},
            search_preset=wanted.search_preset,
            timed_texts=wanted.timed_texts,
        )
        if dry_run:
            if records:
                raise LecoError(
                    f"{parameter('records')} adds cells, which {parameter('dry_run')} does not. Give one of them."
                )
            result = {**paper.status(), "hours_left": estimated_hours(paper.pending(), source.glue_dir)}
            written = {}
        else:
            paper.check_root()
            check_writable(output)
            with writing(output):
                for path in records or []:
                    say(f"{paper.folder.add_file(path)} cells of '{path}' are new.")
                paper.run(glue_dir=source.glue_dir, jobs=wanted.jobs, engine=ENGINES[wanted.engine](wanted))
                result, written = paper.status(), paper.write()
    if json:
        print_json({**result, "tables": [str(output / f"{name}.md") for name in written]})
        return
    for text in written.values():
        print_lines(*text.split("\n"))
    print_lines(f"{result['finished']} of {result['cells']} cells are finished.")
    if dry_run:
        print_lines(f"The others take about {result['hours_left']:.1f} hours here, by a few steps of training.")
