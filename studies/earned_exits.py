"""Do exits earn their place: searched by cost, taught, pruned, beside MHA exits and learned ones, judged on dev.

python -m studies.earned_exits --models MODELS --glue-dir GLUE     # runs what is missing, writes its section
python -m studies.earned_exits --choices --glue-dir GLUE           # the choices alone, of the cells that have run here
python -m studies.earned_exits --render                            # its section of docs/results.md

MODELS holds the folder all-MiniLM-L6-v2. The cells are lines of studies/results/earned_exits.jsonl, on a sample of
SST-2. Of each, the outputs of its exits on dev choose the criterion, with all exits and once those are dropped that are
not worth their time (`leco.evaluation.pruning`). Times are tabled, as common/chosen.py says. They and the scores are
studies/results/earned_exits.json.
"""

import numpy as np

from benchmarks.common.recording import DOCS, read, report, source, write_between
from leco.exits.architecture import architecture_from_dict
from leco.reproduction import Cell
from leco.reproduction.tables import markdown
from leco.search.costs import DEFAULT, OperationCosts
from studies.common.chosen import chosen, winner
from studies.common.outputs import stored_outputs
from studies.common.own_results import RESULTS, command_line, run_missing

FILE, CHOICES = "earned_exits", "studies/earned_exits"
TASK, ROWS, LAYERS, SEEDS = "glue/sst-2", 3_000, 6, 2
LENGTH = 25
"""The length of a text in tokens, about SST-2's mean, at which costs are taken."""
PAGE, BEGIN, END = DOCS / "results.md", "<!-- earned exits: begin -->", "<!-- earned exits: end -->"
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
    by_layer = exit_costs(one, costs)
    about = {
        "exit_cost": float(np.mean(by_layer)),
        "exit_parameters": float(np.mean(RESULTS[one]["exit_parameters"])),
        "dev_avg": float(np.mean(dev.by_exit())),
    }
    for choice in chosen(winner(dev), dev, test, costs, LENGTH, by_layer):
        yield {**about, **choice}


def row(one):
    """A line of the table."""
    return [
        one["way"],
        str(one["seed"]),
        one["precision"],
        ", ".join(map(str, one["exit_layers"])),
        f"{one['exit_cost']:.2f}",
        f"{one['exit_parameters']:,.0f}",
        f"`{one['criterion']}`",
        *(f"{100 * one[name]:.1f}" for name in ("dev_avg", "dev_score", "test_score")),
        *(f"{one[name]:.1f}" for name in ("dev_time", "test_time")),
    ]


def render():
    """Write the table into the page."""
    result = read(CHOICES)
    heads = ["way", "seed", "precision", "exits on", "cost of one", "parameters", "criterion"]
    heads += ["AVG on dev", "dev", "test", "time on dev", "on test"]
    finished = f"{len({(one['way'], one['seed']) for one in result['rows']})} of {SEEDS * len(WAYS)} cells are there."
    texts = [finished, markdown(heads, map(row, result["rows"])), source(result)]
    write_between(PAGE, BEGIN, END, "\n\n".join(texts))


def main():
    parser = command_line()
    parser.add_argument("--choices", action="store_true")
    arguments = parser.parse_args()
    wanted = cells(arguments.models)
    if not (arguments.render or arguments.choices):
        run_missing(list(wanted.values()), FILE, arguments)
    if not arguments.render:
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
