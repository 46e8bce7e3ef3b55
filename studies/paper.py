"""The tables and figures of docs/results.md: the paper's Tables 2, 3, 5 and 6 and its Figure 2, with all-MiniLM-L6-v2.

python -m studies.paper --glue-dir GLUE            # many hours; runs what is missing, two cells at a time
python -m studies.paper --glue-dir GLUE --dry-run  # what is missing, and about how long it takes
python -m studies.paper --render                   # writes the tables and figures of what there is

The cells are lines of results/*.jsonl and are never run twice; a killed run continues. Each line of RUNS in
common/paper_tables.py is also a command of its own, `leco reproduce`, which the page shows.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.common.recording import ASSETS, DOCS, write_between
from leco.errors import LecoError
from leco.reproduction import run_all
from leco.reproduction.estimate import estimated_hours
from leco.reproduction.grids import LECO
from leco.reproduction.scheduler import with_needs
from leco.reproduction.tables import differences, entries, markdown, mean_and_spread, one_sided_p
from studies.common.other_tables import areas, probe, rates, variants, variations, worth
from studies.common.own_results import ran_on
from studies.common.paper_tables import RESULTS, RUNS, RUNS_OF_TWELVE_LAYERS, VARIATIONS, all_of, by_seed

PAGE = DOCS / "results.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
BEGIN_TWELVE, END_TWELVE = "<!-- twelve layers: begin -->", "<!-- twelve layers: end -->"
ENOUGH = 5
"""With fewer seeds no difference can be significant: p of the test is at least 1 / 2^n."""
LEAST = 0.001
"""Smaller p are not told apart."""


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


def gaps_of(runs):
    """How much higher our row scores than each other one of the runs' tables, by row and task [seeds, layers]."""
    shown = defaultdict(dict)
    for run in runs:
        (grid,) = run.tables.grids
        found = {(one.row, one.task): one for one in entries(grid, run.tasks, run.seeds, run.results)}
        for (row, task), other in found.items():
            ours = found.get((grid.ours, task))
            if ours is not None and row != grid.ours:
                shown[row][task] = differences(ours, other)
    return shown


def paired(runs):
    """Our AVG less that of each other row of the runs' tables, on the seeds that both have."""

    def told(gaps):
        p = one_sided_p(gaps)
        test = "" if len(gaps) < ENOUGH else f", p = {p:.3f}" if p >= LEAST else f", p < {LEAST}"
        return f"{mean_and_spread(gaps, sign='+')} (n = {len(gaps)}{test})"

    tasks, lines = runs[0].tasks, []
    for row, by_task in gaps_of(runs).items():
        of_avg = {task: gaps.mean(1) for task, gaps in by_task.items()}
        line = [told(of_avg[task]) if task in of_avg else "" for task in tasks]
        lines.append([row, *line, told(np.concatenate(list(of_avg.values())))])
    return f"""**AVG of {LECO} less that of the other rows**, on the n seeds that both have (mean ± standard deviation),
in the last column over tasks and seeds together; p is that of the one-sided test over these, where there are at
least {ENOUGH}, not corrected for the number of rows

{markdown([f"{LECO} less", *tasks, "all tasks"], lines)}"""


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
    parts += [areas(), worth(), variants(), rates(), variations(), probe()]
    write_between(PAGE, BEGIN, END, "\n\n".join(parts))
    render_twelve_layers()


def render_twelve_layers():
    """The same of the larger encoder."""
    runs = RUNS_OF_TWELVE_LAYERS
    parts = [states([(run.table, run) for run in runs]), ran_on(records(runs))]
    for run in runs:
        parts.append(f"{run.tables.write()[run.table]}\n```sh\n{run.command}\n```")
    write_between(PAGE, BEGIN_TWELVE, END_TWELVE, "\n\n".join([*parts, paired(runs), layer_by_layer(runs)]))


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
