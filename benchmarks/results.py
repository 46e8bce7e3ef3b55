"""The tables and figures of docs/results.md: the paper's Tables 2, 3, 5 and 6 and its Figure 2, with all-MiniLM-L6-v2.

python benchmarks/results.py --glue-dir GLUE            # many hours; runs what is missing, two cells at a time
python benchmarks/results.py --glue-dir GLUE --dry-run  # what is missing, and about how long it takes
python benchmarks/results.py --render                   # writes the tables and figures of what there is

The cells are folders in results/cells and are never run twice; a killed run continues. Each line of RUNS in runs.py is
also a command of its own, `leco reproduce`, which the page shows.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from common import write_between
from leco.errors import LecoError
from leco.experiments import run_all
from leco.experiments.estimate import estimated_hours
from leco.experiments.grids import LECO
from leco.experiments.runner import with_needs
from leco.experiments.tables import entries, markdown, mean_and_spread
from leco.experiments.work import finished, read_result
from render import read, source
from runs import CELLS, RUNS, all_of, by_seed

PAGE = Path(__file__).parents[1] / "docs" / "results.md"
VARIED = ("sst-2", "cola")
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def states():
    """How much of each run is there."""
    lines = []
    for run in RUNS:
        status = run.plan.status()
        lines.append([run.table, ", ".join(run.tasks), str(run.seeds), f"{status['finished']} of {status['cells']}"])
    return markdown(["", "tasks", "seeds", "finished"], lines)


def minutes():
    """What a cell and a search of each task take, from those that are finished."""
    plan = all_of("table2").plan
    lines = []
    for task in plan.tasks:
        cells = [cell for cell in plan.works if cell.task == f"glue/{task}" and finished(cell, plan.cells_folder)]
        spent = [read_result(cell, plan.cells_folder)["cpu_minutes"] for cell in cells]
        if spent:
            lines.append([task, f"{len(spent)}", f"{min(spent):.1f}-{max(spent):.1f}"])
    return markdown(["task", "cells", "CPU minutes of a cell's training"], lines)


def machine():
    """Of the cells that are finished, the machine and the versions."""
    found = set()
    for run in RUNS:
        plan = run.plan
        for work in plan.works:
            if finished(work, plan.cells_folder):
                result = read_result(work, plan.cells_folder)
                about = {**result["versions"], **result["machine"]}
                found.add(
                    f"{about['processor']}, Python {about['python']}, PyTorch {about['torch']}, "
                    f"Transformers {about['transformers']}"
                )
    return "; ".join(sorted(found))


def paired():
    """Our AVG less that of each other row of the tables, on the seeds that both have."""
    differences = defaultdict(dict)
    for table in ("table2", "table3", "table5"):
        run = all_of(table)
        (grid,) = run.plan.grids
        found = {(one.row, one.task): one for one in entries(grid, run.tasks, run.seeds, CELLS)}
        for (row, task), other in found.items():
            ours = found.get((grid.ours, task))
            if ours is not None and row != grid.ours:
                both = sorted(set(ours.seeds) & set(other.seeds))
                gaps = [ours.avg[ours.seeds.index(seed)] - other.avg[other.seeds.index(seed)] for seed in both]
                differences[row][task] = f"{mean_and_spread(gaps, sign='+')} (n = {len(gaps)})"
    tasks = all_of("table2").tasks
    lines = [[row, *(by_task.get(task, "") for task in tasks)] for row, by_task in differences.items()]
    return f"""**AVG of {LECO} less that of the other rows**, on the n seeds that both have (mean ± standard deviation)

{markdown([f"{LECO} less", *tasks], lines)}"""


def areas():
    """The area under each criterion's curve, and how far COBEE's is above it, over seeds."""
    result = read("areas")
    by_task = defaultdict(list)
    for row in result["rows"]:
        by_task[row["task"]].append(row["areas"])
    lines = []
    for name in result["rows"][0]["areas"]:
        cells = []
        for found in by_task.values():
            cells.append(mean_and_spread([one[name] for one in found]))
            gaps = [one["cobee"] - one[name] for one in found]
            cells.append("" if name == "cobee" else mean_and_spread(gaps, sign="+"))
        lines.append([name, *cells])
    header = [text for task, found in by_task.items() for text in (f"{task} (n = {len(found)})", "COBEE less it")]
    return f"""**Exit criteria over seeds**: the area under the curve of LECO's cells, in points of the task's score,
the mean over the shares of layers saved that all criteria reach (± is the standard deviation over seeds)

{markdown(["criterion", *header], lines)}

{source(result)}"""


def probe():
    """What the layers' [CLS] states, which linear exits read, say before any training."""
    result = read("cls_probe")
    (found,) = result["rows"]
    by_layer = defaultdict(list)
    for row in found["layers"]:
        by_layer[row["layer"]] += [f"{100 * row['accuracy']:.1f}", f"{row['spread']:.3f}"]
    header = ["layer", "[CLS]: accuracy", "spread", "mean of the tokens: accuracy", "spread"]
    table = markdown(header, [[str(layer), *cells] for layer, cells in by_layer.items()])
    return f"""**What the untrained encoder's layers say** (SST-2: logistic regression on the frozen states of
{found["train"]} training texts, accuracy on {found["dev"]} dev texts, where guessing the larger class has
{found["majority"]:.1%}; the spread is the standard deviation over the texts, a mean over the channels)

{table}

{source(result)}"""


def worth():
    """What random exits of the whole space are worth on dev, and what their operations add to them."""
    result = read("random_exits")
    (found,) = result["rows"]
    layers = [
        [str(layer), *(f"{100 * value:.1f}" for value in values)]
        for layer, values in enumerate(zip(found["mha"], found["mean"], found["std"], strict=True), start=1)
    ]
    by_edge = defaultdict(list)
    for name, by_layer in found["effects"].items():
        edge, operation = name.split()
        by_edge[edge].append((100 * np.mean(by_layer), operation))
    effects = [
        [edge.replace("_", " "), ", ".join(f"{name} {value:+.1f}" for value, name in sorted(operations, reverse=True))]
        for edge, operations in by_edge.items()
    ]
    task = found["task"].removeprefix("glue/")
    return f"""**What an architecture is worth** ({task}, dev, {found["metric"]} in percent): the MHA exit and
{found["exits"]} random exits of the whole space, side by side on each layer of one backbone, each with its own loss

{markdown(["layer", "MHA exit", "random exits: mean", "standard deviation"], layers)}

What an operation adds to the score of a random exit, by a ridge regression on each layer, the mean over the layers;
the two encoder edges count as one:

{markdown(["edge", "points"], effects)}

{source(result)}"""


def variants():
    """What is missing of the exits that the searches found: the dev AVG of their variants."""
    results = [read(f"found_exits_{task}") for task in VARIED]
    found = [result["rows"][0] for result in results]
    lines = [
        [name, *(mean_and_spread([100 * value for value in one["variants"][name]["avg"]]) for one in found)]
        for name in found[0]["variants"]
    ]
    sources = "\n\n".join(source(result) for result in results)
    copies, recipe = found[0]["copies"], found[0]["recipe"]
    return f"""**Variants of the exits found** by `{recipe}` (AVG on dev, in percent): {copies} copies of each, side by
side on each layer of one backbone, each with its own loss; ± is the standard deviation over the copies

{markdown(["exits", *(f"{one['task']} ({one['metric']})" for one in found)], lines)}

{sources}"""


def render():
    """Write the tables and figures, and the page between its two markers."""
    parts = [f"{states()}\n\n{minutes()}\n\n{machine()}."]
    for table in dict.fromkeys(run.table for run in RUNS):
        written = all_of(table).plan.write()[table]
        commands = "\n".join(run.command for run in RUNS if run.table == table)
        pictures = written.replace("](figure2", "](../results/figure2")
        parts.append(f"{pictures}\n```sh\n{commands}\n```")
    write_between(PAGE, BEGIN, END, "\n\n".join([*parts, paired(), areas(), worth(), variants(), probe()]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--only", help="only cells with this in their names")
    arguments = parser.parse_args()
    works = by_seed(arguments.only)
    if arguments.dry_run:
        pending = [work for work in with_needs(works) if not finished(work, CELLS)]
        hours = estimated_hours(pending, arguments.glue_dir)
        print(f"{len(pending)} cells and searches are missing: about {hours:.1f} hours.")
        return
    if not arguments.render:
        try:
            run_all(works, CELLS, glue_dir=arguments.glue_dir, jobs=arguments.jobs)
        except LecoError as error:
            print(error)
    render()


if __name__ == "__main__":
    main()
