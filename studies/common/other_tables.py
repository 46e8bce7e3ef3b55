"""Why results are what they are: the tables of docs/results.md that are no table of the paper."""

from collections import defaultdict
from itertools import product

import numpy as np

from benchmarks.common.recording import read, source
from leco.reproduction.grids import LECO
from leco.reproduction.tables import markdown, mean_and_spread
from studies.common.paired import finished, on_tasks
from studies.common.paper_tables import RESULTS, VARIATIONS, all_of

VARIED = ("sst-2", "cola")
RATED = ("cola", "mrpc")


def read_tasks(name, tasks):
    """The row of each task's own result, and the lines that say where they come from."""
    results = [read(f"studies/{name}_{task}") for task in tasks]
    return [result["rows"][0] for result in results], "\n\n".join(map(source, results))


def areas():
    """The area under each criterion's curve, over seeds."""
    result = read("studies/areas")
    by_task = defaultdict(list)
    for row in result["rows"]:
        by_task[row["task"]].append(row["areas"])
    lines = []
    for name in result["rows"][0]["areas"]:
        lines.append([name, *(mean_and_spread([one[name] for one in found]) for found in by_task.values())])
    header = [f"{task} (n = {len(found)})" for task, found in by_task.items()]
    return f"""**Exit criteria over seeds**: the area under the curve of LECO's cells, in points of the task's score,
the mean over the shares of layers saved that all criteria reach (± is the standard deviation over seeds). What the
cells' exits said of each text is not in the repository, so that this table cannot be remade without running them again

{markdown(["criterion", *header], lines)}

{source(result)}"""


def cobee_less_others(name, tasks):
    """How far COBEE's area is above that of each other criterion on the same cells, from the result of that name."""
    result = read(f"studies/{name}")
    by_row = defaultdict(lambda: defaultdict(list))
    for one in result["rows"]:
        by_row[one.get("row", LECO)][one["task"]].append(one["areas"])
    lines = []
    for row, by_task in by_row.items():
        for other in (other for other in result["rows"][0]["areas"] if other != "cobee"):
            gaps = {task: np.array([one["cobee"] - one[other] for one in found]) for task, found in by_task.items()}
            lines.append([row, other, *on_tasks(tasks, gaps)])
    return f"""**COBEE and other criteria over seeds**: the area under COBEE's curve less that of another criterion, on
the same cells, in points of the task's score (the mean over the shares of layers saved that all criteria reach); n and
p as above

{markdown(["exits of", "COBEE less", *tasks, "all tasks"], lines)}

{source(result)}"""


def rates():
    """What exits gain from other learning rates, side by side on dev."""
    found, sources = read_tasks("exit_rates", RATED)
    lines = [
        [one["task"], exits, *(f"{100 * np.mean(copies):.1f}" for copies in by_rate)]
        for one in found
        for exits, by_rate in one["avg"].items()
    ]
    return f"""**Learning rates of exits** (AVG on dev, in percent, a mean over copies): side by side on each layer of
one backbone, each with its own loss and rate; the preset `quick` has 1e-3

{markdown(["task", "exits", *(f"{rate:g}" for rate in found[0]["rates"])], lines)}

{sources}"""


def variations():
    """What was tried to improve the row of ours: AVG, and how much higher it is than that of the usual cells."""
    header = ["variation", "task", "row", "n", "dev", "more than usual", "test", "more than usual"]
    lines = [[name, *line] for name, run in VARIATIONS.items() for line in against_usual(run)]
    return f"""**Variations of the training and the search**: AVG on dev, which is what they are judged by, and on
test, and how much higher they are than those of the cells above, on the n seeds that both have

{markdown(header, lines)}"""


def against_usual(run):
    """Of each row of a variation that is there: task, name, number of seeds, and AVG and gain on dev and on test."""
    usual, varied = all_of(run.table).tables.grids[0], run.tables.grids[0]
    usual_rows, wanted = {row.name: row for row in usual.rows}, run.tables.experiments
    for task, row in product(run.tasks, varied.rows):
        rows = (varied, row), (usual, usual_rows[row.name])
        by_seed = [[grid.cell(one, task, seed) for grid, one in rows] for seed in range(run.seeds)]
        done = finished([pair for pair in by_seed if pair[0] in wanted], RESULTS)
        if done:
            line = [task, row.name, str(len(done))]
            for split in ("dev", "test"):
                avg, before = 100 * np.array([[np.mean(one[split]) for one in pair] for pair in done]).T
                line += [mean_and_spread(avg), mean_and_spread(avg - before, sign="+")]
            yield line


def probe():
    """What the layers' [CLS] states, which linear exits read, say before any training."""
    result = read("studies/cls_probe")
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
    result = read("studies/random_exits")
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
    found, sources = read_tasks("found_exits", VARIED)
    lines = [
        [name, *(mean_and_spread([100 * value for value in one["variants"][name]["avg"]]) for one in found)]
        for name in found[0]["variants"]
    ]
    copies, recipe = found[0]["copies"], found[0]["recipe"]
    return f"""**Variants of the exits found** by `{recipe}` (AVG on dev, in percent): {copies} copies of each, side by
side on each layer of one backbone, each with its own loss; ± is the standard deviation over the copies

{markdown(["exits", *(f"{one['task']} ({one['metric']})" for one in found)], lines)}

{sources}"""
