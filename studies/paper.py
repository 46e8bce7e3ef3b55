"""The tables and figures of docs/results.md: the paper's Tables 2, 3, 5 and 6 and its Figure 2, with all-MiniLM-L6-v2.

python -m studies.paper --glue-dir GLUE            # many hours; runs what is missing, two cells at a time
python -m studies.paper --glue-dir GLUE --dry-run  # what is missing, and about how long it takes
python -m studies.paper --render                   # writes the tables and figures of what there is

The cells are lines of results/*.jsonl and are never run twice; a killed run continues. Each line of RUNS in
common/paper_tables.py is also a command of its own, `leco reproduce`, which the page shows.
"""

import argparse
from operator import itemgetter
from pathlib import Path

import numpy as np

from benchmarks.common.recording import ASSETS, DOCS, write_between
from leco.errors import LecoError
from leco.reproduction import run_all
from leco.reproduction.estimate import estimated_hours
from leco.reproduction.grids import LECO
from leco.reproduction.scheduler import with_needs
from leco.reproduction.tables import differences, entries, markdown, mean_and_spread
from studies.common.other_tables import areas, cobee_less_others, probe, rates, variants, variations, worth
from studies.common.own_results import ran_on
from studies.common.paired import ENOUGH, on_tasks
from studies.common.paper_tables import (
    FLOAT32,
    RESULTS,
    RUNS,
    RUNS_OF_TWELVE_LAYERS,
    TWELVE_LAYERS,
    VARIATIONS,
    all_of,
    by_seed,
)

PAGE = DOCS / "results.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
BEGIN_TWELVE, END_TWELVE = "<!-- twelve layers: begin -->", "<!-- twelve layers: end -->"


def states(runs):
    """How much of each run is there."""
    lines = []
    for name, run in runs:
        status = run.tables.status()
        lines.append([name, ", ".join(run.tasks), str(run.seeds), f"{status['finished']} of {status['cells']}"])
    return markdown(["", "tasks", "seeds", "finished"], lines)


def minutes():
    """What a cell and a search of each task take, from those that are finished."""
    tables = all_of("table2").tables
    lines = []
    for task in tables.tasks:
        cells = [cell for cell in tables.experiments if cell.task == f"glue/{task}" and cell in RESULTS]
        spent = [RESULTS[cell]["cpu_minutes"] for cell in cells]
        if spent:
            lines.append([task, f"{len(spent)}", f"{min(spent):.1f}-{max(spent):.1f}"])
    return markdown(["task", "cells", "CPU minutes of a cell's training"], lines)


def records(runs):
    """Those of the runs' experiments that are finished."""
    return [run.results[one] for run in runs for one in run.tables.experiments if one in run.results]


def found_in(run):
    """The grid of a run of one table, and what there is of it by row and task."""
    (grid,) = run.tables.grids
    return grid, {(one.row, one.task): one for one in entries(grid, run.tasks, run.seeds, run.results)}


def gaps_of(runs):
    """How much higher our row scores than each other one of the runs' tables, by row and task [seeds, layers].

    A row that is in several tables is shown once.
    """
    shown = {}
    for run in runs:
        grid, found = found_in(run)
        for row in grid.rows:
            gaps = {
                task: differences(found[grid.ours, task], found[row.name, task])
                for task in run.tasks
                if {(grid.ours, task), (row.name, task)} <= found.keys()
            }
            if gaps and row.name != grid.ours:
                shown.setdefault(row.cell, (row.name, gaps))
    return dict(shown.values())


def of_avg(by_task):
    """Differences at each layer [seeds, layers] by task as those of AVG [seeds]."""
    return {task: gaps.mean(1) for task, gaps in by_task.items()}


def paired(runs):
    """Our AVG less that of each other row of the runs' tables, on the seeds that both have."""
    tasks = runs[0].tasks
    lines = [[row, *on_tasks(tasks, of_avg(by_task))] for row, by_task in gaps_of(runs).items()]
    return f"""**AVG of {LECO} less that of the other rows**, on the n seeds that both have (mean ± standard deviation),
in the last column over tasks and seeds together; p is that of the one-sided test over these, where there are at
least {ENOUGH}, not corrected for the number of rows

{markdown([f"{LECO} less", *tasks, "all tasks"], lines)}"""


def with_learned_exits(run):
    """AVG of the other strategies with learned exits less that with their own, from Table 3."""
    grid, found = found_in(run)
    lines = []
    for row in grid.rows:
        if row.rival is not None:
            gaps = {task: differences(found[row.name, task], found[row.rival, task]) for task in run.tasks}
            lines.append([f"{row.name} less {row.rival}", *on_tasks(run.tasks, of_avg(gaps))])
    return f"""**What learned exits do for other strategies** (AVG of Table 3's rows; as above)

{markdown(["", *run.tasks, "all tasks"], lines)}"""


def in_float32():
    """How far cells that ran in float32 too, on a processor, are from those in bfloat16."""
    both = [(one, TWELVE_LAYERS.records()[name]) for name, one in FLOAT32.records().items()]
    gaps = {
        name: 100 * np.array([pick(one) - pick(other) for one, other in both])
        for name, pick in (("AVG", itemgetter("avg")), ("BEST", itemgetter("best")))
    }
    shown = ", ".join(f"{name} {mean_and_spread(gap, sign='+')}" for name, gap in gaps.items())
    return f"""{len(both)} cells of SST-2 ran in float32, too; less those in bfloat16, with the same seeds: {shown}.
{ran_on(FLOAT32.records().values())}"""


def layer_by_layer(runs):
    """The same at each layer."""
    lines = [
        [row, task, str(len(gaps)), *(mean_and_spread(at_layer, sign="+") for at_layer in gaps.T)]
        for row, by_task in gaps_of(runs).items()
        for task, gaps in by_task.items()
    ]
    layers = max(len(line) for line in lines) - 3
    return f"""**The same at each layer**

{markdown([f"{LECO} less", "task", "n", *map(str, range(1, layers + 1))], lines)}"""


def render():
    """Write the tables and figures, and the page between its two markers."""
    runs = [*((run.table, run) for run in RUNS), *VARIATIONS.items()]
    parts = [f"{states(runs)}\n\n{minutes()}\n\n{ran_on(records(RUNS))}"]
    for table in dict.fromkeys(run.table for run in RUNS):
        written = all_of(table).tables.write(pictures=ASSETS)[table]
        commands = "\n".join(run.command for run in RUNS if run.table == table)
        pictures = written.replace("](../docs/assets/", "](assets/")
        parts.append(f"{pictures}\n```sh\n{commands}\n```")
    parts.append(paired([all_of(table) for table in ("table2", "table3", "table5")]))
    parts.append(with_learned_exits(all_of("table3")))
    parts += [
        areas(),
        cobee_less_others("areas", all_of("table2").tasks),
        worth(),
        variants(),
        rates(),
        variations(),
        probe(),
    ]
    write_between(PAGE, BEGIN, END, "\n\n".join(parts))
    render_twelve_layers()


def render_twelve_layers():
    """The same of the larger encoder."""
    runs = RUNS_OF_TWELVE_LAYERS
    parts = [states([(run.table, run) for run in runs]), ran_on(records(runs))]
    for run in runs:
        parts.append(f"{run.tables.write()[run.table]}\n```sh\n{run.command}\n```")
    by_table = {run.table: run for run in runs}
    parts += [paired(runs), with_learned_exits(by_table["table3"]), layer_by_layer([by_table["table2"]]), in_float32()]
    parts.append(cobee_less_others("areas_twelve_layers", by_table["table2"].tasks))
    write_between(PAGE, BEGIN_TWELVE, END_TWELVE, "\n\n".join(parts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--only", help="only cells with this in their names")
    arguments = parser.parse_args()
    experiments = by_seed(arguments.only)
    if arguments.dry_run:
        pending = [one for one in with_needs(experiments) if one not in RESULTS]
        hours = estimated_hours(pending, arguments.glue_dir)
        print(f"{len(pending)} cells and searches are missing: about {hours:.1f} hours.")
        return
    if not arguments.render:
        try:
            run_all(experiments, RESULTS.root, glue_dir=arguments.glue_dir, jobs=arguments.jobs)
        except LecoError as error:
            print(error)
    render()


if __name__ == "__main__":
    main()
