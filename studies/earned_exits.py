"""Do exits earn their place: searched by cost, taught, pruned, beside MHA exits and learned ones, judged on dev.

python -m studies.earned_exits --models MODELS --glue-dir GLUE     # runs what is missing, and then the table
python -m studies.earned_exits --render                            # the table of what is there

MODELS holds the folder all-MiniLM-L6-v2. The cells are lines of studies/results/earned_exits.jsonl, on a sample of
SST-2. Of each, the outputs of its exits on dev choose the criterion, with all exits and once those are dropped that are
not worth their time (`leco.evaluation.pruning`). Times are tabled: `leco/search/operation_costs.json`, in costs of the
MHA exit. They and the scores are studies/results/earned_exits.json.
"""

import numpy as np

from benchmarks.common.recording import read, report, source
from leco.criteria import Task
from leco.evaluation.contest import hold_contest, kinds_named
from leco.evaluation.exit_times import ExitTimes
from leco.evaluation.pruning import prune, seconds_by_layer
from leco.exits.architecture import architecture_from_dict
from leco.reproduction import Cell
from leco.reproduction.tables import markdown
from leco.search.costs import DEFAULT, OperationCosts
from studies.common.outputs import stored_outputs, task_of
from studies.common.own_results import RESULTS, command_line, run_missing

FILE, CHOICES = "earned_exits", "studies/earned_exits"
TASK, ROWS, LAYERS, SEEDS = "glue/sst-2", 3_000, 6, 2
MAX_DROP, LENGTH = 0.01, 25
"""The drop that is allowed, and the length of a text in tokens, about SST-2's mean, at which costs are taken."""
WAYS = {
    "MHA": ("mha", "joint", 0.0),
    "MHA, taught by the last": ("mha", "taught-joint", 0.0),
    "MHA, taught by the mean": ("mha", "taught-joint:teacher=mean", 0.0),
    "learned": ("learned", "joint", 0.0),
    "learned, cost 0.01": ("learned", "joint", 0.01),
    "learned, cost 0.05": ("learned", "joint", 0.05),
    "learned, cost 0.2": ("learned", "joint", 0.2),
    "learned, cost 0.05, taught by the last": ("learned", "taught-joint", 0.05),
}
"""Exits, strategy and penalty of the cost of each way."""


def cell(models, way, seed):
    """A cell of a way, by the preset `sampling`."""
    exits, strategy, penalty = WAYS[way]
    options = [("bf16", True), ("train_rows", ROWS), *([("cost_penalty", penalty)] if penalty else [])]
    return Cell(
        TASK, str(models / "all-MiniLM-L6-v2"), "sampling", tuple(options), exits=exits, strategy=strategy, seed=seed
    )


def cells(models):
    """All cells, the first seed of all first."""
    return {(way, seed): cell(models, way, seed) for seed in range(SEEDS) for way in WAYS}


def exit_costs(one, costs):
    """What the exit on each layer of a cell costs, in costs of the MHA exit."""
    if one.search is None:
        return [1.0] * LAYERS
    return [costs.of_exit(architecture_from_dict(value), LENGTH) for value in RESULTS[one.search]["architectures"]]


def choices(one, glue_dir, costs):
    """How a cell does, with all its exits and with those that are kept, in a float32 file and in an int8 one."""
    dev, test = stored_outputs(RESULTS, one, glue_dir)
    task = task_of(dev)
    kinds = [kind for kind in kinds_named("auto") if task.problem_type in kind.problem_types and not kind.observes]
    by_layer = exit_costs(one, costs)
    for precision, layer in costs.layer.items():
        times = ExitTimes([float(np.interp(LENGTH, costs.lengths, layer))] * LAYERS, dict(enumerate(by_layer, start=1)))
        kind = type(hold_contest(kinds, dev, task, MAX_DROP).criterion)
        found = prune(kind, dev, task, MAX_DROP, times)
        for kept, step in (("all", found.steps[0]), ("pruned", found.best)):
            some = Task(task.num_outputs, LAYERS, task.problem_type, exit_layers=tuple(step.exit_layers))
            criterion = kind(**{name: value for name, value in step.criterion.items() if name != "name"})
            left = test.only(step.exit_layers).exit_layers(criterion, some)
            yield {
                "precision": precision,
                "exits": kept,
                "exit_layers": step.exit_layers,
                "exit_cost": float(np.mean(by_layer)),
                "criterion": str(criterion),
                "dev_avg": float(np.mean(dev.by_exit())),
                "dev_score": step.score,
                "dev_time": step.seconds,
                "test_score": test.at(left),
                "test_time": float(seconds_by_layer(criterion, some, times)[left].mean()),
            }


def row(one):
    """A line of the table."""
    layers = ", ".join(map(str, one["exit_layers"]))
    scores = [f"{100 * one[name]:.1f}" for name in ("dev_avg", "dev_score", "test_score")]
    return [
        one["way"],
        str(one["seed"]),
        one["precision"],
        layers,
        f"{one['exit_cost']:.2f}",
        f"`{one['criterion']}`",
        *scores,
        f"{one['dev_time']:.1f}",
        f"{one['test_time']:.1f}",
    ]


def render():
    """Print the table."""
    result = read(CHOICES)
    heads = ["way", "seed", "precision", "exits on", "cost of one", "criterion"]
    heads += ["dev AVG", "dev", "test", "time on dev", "on test"]
    print(markdown(heads, map(row, result["rows"])), source(result), sep="\n\n")


def main():
    arguments = command_line().parse_args()
    if not arguments.render:
        wanted = cells(arguments.models)
        run_missing(list(wanted.values()), FILE, arguments)
        costs = OperationCosts.load(DEFAULT)
        finished = {key: one for key, one in wanted.items() if RESULTS.outputs(one).is_file()}
        rows = [
            {"way": way, "seed": seed, **line}
            for (way, seed), one in finished.items()
            for line in choices(one, arguments.glue_dir, costs)
        ]
        report(CHOICES, rows)
    render()


if __name__ == "__main__":
    main()
