"""Do exits earn their place: searched by cost, taught, pruned, beside MHA exits and learned ones, judged on dev.

python -m studies.earned_exits --models MODELS --glue-dir GLUE     # runs what is missing, writes its section
python -m studies.earned_exits --choices --glue-dir GLUE           # the choices alone, of the cells that have run here
python -m studies.earned_exits --render                            # its section of docs/results.md

MODELS holds the folders all-MiniLM-L6-v2 and all-mpnet-base-v2. The cells are lines of
studies/results/earned_exits.jsonl, on samples of the training rows: all ways on SST-2 with six layers, those that may
become the default also on CoLA and with twelve. Of those on SST-2 with six layers, what their exits said of dev chooses
the criterion, with all exits and once those are dropped that are not worth their time (`leco.evaluation.pruning`).
Times are tabled, as common/chosen.py says. They and the scores are studies/results/earned_exits.json.
"""

from pathlib import Path

import numpy as np

from benchmarks.common.recording import DOCS, read, report, source, write_between
from leco.exits.architecture import architecture_from_dict
from leco.reproduction import Cell
from leco.reproduction.tables import markdown, mean_and_spread
from leco.search.costs import DEFAULT, OperationCosts
from studies.common.by_task_and_seed import grouped
from studies.common.chosen import chosen, winner
from studies.common.outputs import stored_outputs
from studies.common.own_results import RESULTS, command_line, run_missing

FILE, CHOICES = "earned_exits", "studies/earned_exits"
ROWS, SEEDS = 3_000, 2
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
    "learned, cost 0.5": ("learned", "joint", 0.5),
    "learned, cost 1": ("learned", "joint", 1.0),
    "learned, cost 0.05, taught by the last": ("learned", "taught-joint", 0.05),
}
"""Exits, strategy and penalty of the cost of each way."""
USUAL = "learned"
FEW = USUAL, "learned, cost 0.05", "learned, cost 0.05, taught by the last"
"""The usual way, and those that may take its place."""
SMALL = "all-MiniLM-L6-v2", 6, "sst-2"
PLACES = {SMALL: WAYS, ("all-MiniLM-L6-v2", 6, "cola"): ("MHA", *FEW), ("all-mpnet-base-v2", 12, "sst-2"): FEW}
"""The encoders with their layers and the tasks, and what is tried there."""


def cell(models, place, way, seed):
    """A cell of a way, by the preset `sampling`."""
    (encoder, _, task), (exits, strategy, penalty) = place, WAYS[way]
    options = [("bf16", True), ("train_rows", ROWS), *([("cost_penalty", penalty)] if penalty else [])]
    return Cell(
        f"glue/{task}", str(models / encoder), "sampling", tuple(options), exits=exits, strategy=strategy, seed=seed
    )


def cells(models):
    """All cells by place, way and seed; the first seed of all ways first."""
    return {
        (place, way, seed): cell(models, place, way, seed)
        for place, ways in PLACES.items()
        for seed in range(SEEDS)
        for way in ways
    }


def exit_costs(one, costs):
    """What the exit on each layer of a cell costs, in costs of the MHA exit."""
    if one.search is None:
        return [1.0] * len(RESULTS[one]["dev"])
    return [costs.of_exit(architecture_from_dict(value), LENGTH) for value in RESULTS[one.search]["architectures"]]


def quality_rows(finished, costs):
    """Of each way: what an exit costs, its parameters, AVG on dev and test, and AVG less the usual way's."""
    rows = [
        {
            "place": place,
            "way": way,
            "seed": seed,
            "cost": np.mean(exit_costs(one, costs)),
            "parameters": np.mean(RESULTS[one]["exit_parameters"]),
            **{split: 100 * np.mean(RESULTS[one][split]) for split in ("dev", "test")},
        }
        for (place, way, seed), one in finished.items()
    ]
    usual = {(row["place"], row["seed"]): row for row in rows if row["way"] == USUAL}
    for (place, way), some in grouped(rows, "place", "way").items():
        line = [str(place[1]), place[2], way, str(len(some)), f"{np.mean([row['cost'] for row in some]):.2f}"]
        line.append(f"{np.mean([row['parameters'] for row in some]):,.0f}")
        for split in ("dev", "test"):
            line.append(mean_and_spread([row[split] for row in some]))
            pairs = [(row, usual.get((place, row["seed"]))) for row in some]
            more = [row[split] - other[split] for row, other in pairs if other and way != USUAL]
            line.append(mean_and_spread(more, sign="+") if more else "")
        yield line


def choices(one, glue_dir, costs):
    """How a cell does, with all its exits and with those that are kept, in a float32 file and in an int8 one."""
    dev, test = stored_outputs(RESULTS, one, glue_dir)
    yield from chosen(winner(dev), dev, test, costs, LENGTH, exit_costs(one, costs))


def choice_rows(rows):
    """Of each way, over seeds: how many exits are kept, scores and times."""
    for (way, precision, exits), some in grouped(rows, "way", "precision", "exits").items():
        line = [way, precision, exits, ", ".join(str(len(one["exit_layers"])) for one in some)]
        for name, unit in (("dev_score", 100), ("dev_time", 1), ("test_score", 100), ("test_time", 1)):
            line.append(mean_and_spread([unit * one[name] for one in some]))
        yield line


def render():
    """Write the tables into the page."""
    result, wanted = read(CHOICES), cells(Path())
    finished = {key: one for key, one in wanted.items() if one in RESULTS}
    heads = ["layers", "task", "way", "seeds", "cost of one", "parameters"]
    heads += [text for name in ("AVG on dev", "AVG on test") for text in (name, f"more than {USUAL}")]
    of_choices = ["way", "precision", "exits", "how many", "dev", "time on dev", "test", "time on test"]
    texts = [
        f"{len(finished)} of {len(wanted)} cells are there.",
        markdown(heads, quality_rows(finished, OperationCosts.load(DEFAULT))),
        "What is chosen on dev of SST-2 with six layers, mean and spread over seeds:",
        markdown(of_choices, choice_rows(result["rows"])),
        source(result),
    ]
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
        rows = [
            {"way": way, "seed": seed, **line}
            for (place, way, seed), one in wanted.items()
            if place == SMALL and RESULTS.outputs(one).is_file()
            for line in choices(one, arguments.glue_dir, costs)
        ]
        report(CHOICES, rows)
    render()


if __name__ == "__main__":
    main()
