"""Exits on standardized hidden states, with and without, on two encoders; and what they change (docs/results.md).

python -m studies.standardized --models MODELS --glue-dir GLUE     # runs what is missing, about 5 CPU minutes a cell
python -m studies.standardized --render                            # writes the tables of what is there

MODELS holds the folders all-MiniLM-L6-v2 and all-mpnet-base-v2. The cells are lines of studies/results/
standardized.jsonl; on a GPU, `studies.gpu_cells` runs them.
"""

from collections import defaultdict
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.common.recording import DOCS, write_between
from leco.reproduction import Cell
from leco.reproduction.tables import markdown, mean_and_spread
from studies.common.own_results import RESULTS, command_line, ran_on, run_missing
from studies.common.paired import finished
from studies.common.variants import VariantCell

PAGE = DOCS / "results.md"
FILE = "standardized"
"""The file of the records."""
BEGIN, END = "<!-- standardized: begin -->", "<!-- standardized: end -->"
SMALL, LARGE = "all-MiniLM-L6-v2", "all-mpnet-base-v2"
LAYERS = {SMALL: 6, LARGE: 12}
EXITS = "linear", "mha", "learned"
BF16, ON, OFF = ("bf16", True), ("standardize", True), ("standardize", False)
ROWS = {(SMALL, "glue/sst-2"): 10_000, (LARGE, "glue/sst-2"): 3_000}
FEWER = {(LARGE, "glue/mrpc"): (1_500,), (LARGE, "glue/cola"): (3_000,), (LARGE, "demo/rotten_tomatoes"): (1_500,)}
"""Training rows of cells on a processor, whose outputs do where no cell of all rows has left its own."""
SEEDS = {
    **dict.fromkeys([(SMALL, "glue/sst-2"), (SMALL, "glue/cola"), (SMALL, "glue/mrpc")], 3),
    (LARGE, "glue/sst-2"): 2,
    **dict.fromkeys([(LARGE, "glue/cola"), (LARGE, "glue/mrpc"), (LARGE, "glue/rte"), (SMALL, "glue/rte")], 1),
    **dict.fromkeys([(LARGE, "demo/rotten_tomatoes"), (SMALL, "demo/rotten_tomatoes")], 1),
}


def cell(models, model, task, *options, **fields):
    """A cell by the preset quick, exits searched by `sampling`."""
    rows = [("train_rows", ROWS[model, task])] if (model, task) in ROWS else []
    return Cell(task, str(models / model), "quick", (BF16, *options, *rows), search_preset="sampling", **fields)


def with_and_without(models):
    """For each kind of exits, encoder and task: the first seed of all first."""
    wanted = [(seed, model, task) for (model, task), seeds in SEEDS.items() for seed in range(seeds)]
    return [
        cell(models, model, task, on, exits=exits, seed=seed)
        for seed, model, task in sorted(wanted, key=lambda one: one[0])
        for exits in EXITS
        for on in (ON, OFF)
    ]


def linear_with_outputs(models, tasks):
    """On both encoders, the first seed's cells with standardized linear exits of which it is kept what these said."""
    found = []
    for model, task in product((SMALL, LARGE), tasks):
        options = [(), *((("train_rows", rows),) for rows in FEWER.get((model, task), ()))]
        tried = [cell(models, model, task, ON, *some, exits="linear") for some in options]
        found += [one for one in tried if RESULTS.outputs(one).is_file()][:1]
    return found


def tuning(models):
    """Rate and width of the exits, length of the search, kind of statistics: by name, on SST-2 with twelve layers."""
    usual = cell(models, LARGE, "glue/sst-2", ON)
    by_exits = {exits: replace(usual, exits=exits) for exits in EXITS}

    def option(name, value, one):
        return replace(one, options=(*one.options, (name, value)))

    def variant(name, one):
        settings = {key: getattr(one, key) for key in ("task", "model", "preset", "options", "exits", "search_preset")}
        return VariantCell(**settings, variant=name)

    lines = {"as above (exits at 1e-3, width 32, 4 epochs of search)": by_exits}
    for rate in (5e-4, 2e-3, 4e-3):
        lines[f"exits at {rate:g}"] = {exits: option("exit_lr", rate, one) for exits, one in by_exits.items()}
    for width in (48, 64):
        lines[f"width {width}"] = {"learned": option("width", width, usual)}
    for epochs in (2, 8):
        lines[f"{epochs} epochs of search"] = {"learned": option("search_epochs", epochs, usual)}
    lines["statistics that follow training"] = {e: variant("following", one) for e, one in by_exits.items()}
    lines["a learned scale for each channel"] = {e: variant("scaled", one) for e, one in by_exits.items()}
    return lines


def percent(values):
    """A mean in percent, with the spread where there are several."""
    return mean_and_spread([100 * v for v in values]) if len(values) > 1 else f"{100 * values[0]:.1f}"


def scores(cells):
    """AVG on dev, and AVG and BEST on test, over the seeds that are there."""
    records = [RESULTS[one] for one in cells if one in RESULTS]
    if not records:
        return None
    dev = [float(np.mean(record["dev"])) for record in records]
    return dev, [record["avg"] for record in records], [record["best"] for record in records]


def shown(one, seeds):
    """Dev and test of some cells; with how many seeds, where these are not all."""
    if one is None:
        return "", ""
    number = f" (n = {len(one[0])})" if len(one[0]) < seeds else ""
    return percent(one[0]) + number, f"{percent(one[1])} / {percent(one[2])}{number}"


def comparison():
    """The table of with and without, and the mean gain on dev of each encoder, on the seeds that both have."""
    lines, gains = [], defaultdict(list)
    for (model, task), seeds in SEEDS.items():
        for exits in EXITS:
            by_seed = [
                [cell(Path(), model, task, on, exits=exits, seed=seed) for on in (OFF, ON)] for seed in range(seeds)
            ]
            cells = [text for one in zip(*by_seed, strict=True) for text in shown(scores(one), seeds)]
            lines.append([f"{LAYERS[model]}", task.split("/")[1], exits, str(seeds), *cells])
            if both := finished(by_seed, RESULTS):
                without, with_ = np.array([[np.mean(one["dev"]) for one in pair] for pair in both]).T
                gains[model, exits].append(100 * float(np.mean(with_ - without)))
    heads = ["layers", "task", "exits", "seeds", "without: dev", "test", "standardized: dev", "test"]
    summary = [
        [
            f"{LAYERS[model]}",
            *(f"{np.mean(one):+.1f} ({len(one)})" if (one := gains[model, exits]) else "" for exits in EXITS),
        ]
        for model in (SMALL, LARGE)
    ]
    return (
        f"**AVG on dev, AVG / BEST on test**\n\n{markdown(heads, lines)}\n\n"
        f"**What standardized states gain in AVG on dev**, the mean over the tasks (their number in brackets)\n\n"
        f"{markdown(['layers', *EXITS], summary)}"
    )


def tuned():
    """The table of what was tuned."""
    lines = []
    for name, by_exits in tuning(Path()).items():
        found = [scores([by_exits[exits]]) if exits in by_exits else None for exits in EXITS]
        cells = [f"{percent(one[0])}: {percent(one[1])} / {percent(one[2])}" if one else "" for one in found]
        lines.append([name, *cells])
    return (
        "**Standardized exits, SST-2 with 3,000 rows and twelve layers, seed 0**: AVG on dev: AVG / BEST on test\n\n"
        f"{markdown(['', *EXITS], lines)}"
    )


def render():
    """Write the tables into the page."""
    write_between(PAGE, BEGIN, END, "\n\n".join([comparison(), tuned(), ran_on(RESULTS.records().values())]))


def main():
    arguments = command_line().parse_args()
    if not arguments.render:
        wanted = [
            *with_and_without(arguments.models),
            *(c for by in tuning(arguments.models).values() for c in by.values()),
        ]
        run_missing(wanted, FILE, arguments)
    render()


if __name__ == "__main__":
    main()
