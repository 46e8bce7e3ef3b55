"""`leco reproduce`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from leco.cli.output import print_json, print_lines, quiet_stdout
from leco.cli.parameters import MODEL_HELP, PRESET_HELP, SOURCE, Json, with_options
from leco.errors import LecoError

TABLES = "table2, table3, table4, table5, table6, figure2 or all"


@with_options(shared={"glue_dir": SOURCE["glue_dir"]})
def command(
    table: Annotated[str, typer.Argument(help=f"{TABLES}.", metavar="TABLE")],
    options: dict[str, Any],
    output: Annotated[Path, typer.Option("--output", help="Folder for tables and their cells.")] = Path("results"),
    tasks: Annotated[
        str, typer.Option("--tasks", help="GLUE's tasks, by comma.")
    ] = "rte,mrpc,cola,sst-2,qnli,qqp,mnli",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds of each cell: 0 to N - 1.")] = 5,
    only: Annotated[
        str | None, typer.Option("--only", help="Only cells with this, or one of these by comma, in their names.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help=MODEL_HELP)] = "albert-base-v2",
    preset: Annotated[str, typer.Option("--preset", help=PRESET_HELP)] = "paper",
    train_rows: Annotated[
        str | None, typer.Option("--train-rows", help="Train on a sample: ROWS, or TASK=ROWS by comma.")
    ] = None,
    search_preset: Annotated[
        str | None, typer.Option("--search-preset", help="Named options of the searches; by default --preset.")
    ] = None,
    timed_texts: Annotated[
        int | None, typer.Option("--timed-texts", min=1, help="Figure 2: measure speedups on so many texts, not all.")
    ] = None,
    bf16: Annotated[bool, typer.Option("--bf16", help="Train in bfloat16 autocast.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Cells at a time; they share the threads.")] = 1,
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

        names = [task.strip() for task in tasks.split(",")]
        paper = PaperTables(
            table,
            root=output,
            tasks=names,
            seeds=seeds,
            only=only,
            model=model,
            preset=preset,
            options={"bf16": True} if bf16 else {},
            train_rows=parse_train_rows(train_rows, names) if train_rows else {},
            search_preset=search_preset,
            timed_texts=timed_texts,
        )
        if dry_run:
            if records:
                raise LecoError("--import adds cells, which --dry-run does not. Give one of them.")
            result = {**paper.status(), "hours_left": estimated_hours(paper.pending(), options["glue_dir"])}
            written = {}
        else:
            paper.check_root()
            check_writable(output)
            with writing(output):
                for path in records or []:
                    say(f"{paper.folder.add_file(path)} cells of '{path}' are new.")
                paper.run(glue_dir=options["glue_dir"], jobs=jobs)
                result, written = paper.status(), paper.write()
    if json:
        print_json({**result, "tables": [str(output / f"{name}.md") for name in written]})
        return
    for text in written.values():
        print_lines(*text.split("\n"))
    print_lines(f"{result['finished']} of {result['cells']} cells are finished.")
    if dry_run:
        print_lines(f"The others take about {result['hours_left']:.1f} hours here, by a few steps of training.")
