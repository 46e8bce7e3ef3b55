"""What the recipes `quick` and `sampling` find, and what they take, on four data sets (docs/results.md).

python -m studies.recipes --models MODELS --glue-dir GLUE     # runs what is missing
python -m studies.recipes --render                            # writes the table of what is there

MODELS holds the folder all-MiniLM-L6-v2. The cells are lines of studies/results/recipes.jsonl; exits are standardized
in both. Minutes are those of search and training together, on one thread.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.common.recording import DOCS, write_between
from leco.reproduction import Cell, run_all
from leco.reproduction.tables import markdown, mean_and_spread
from studies.common.own_results import RESULTS

PAGE = DOCS / "results.md"
FILE = "recipes"
BEGIN, END = "<!-- recipes: begin -->", "<!-- recipes: end -->"
RECIPES = "quick", "sampling"
TASKS = {"glue/sst-2": 6_000, "glue/cola": None, "glue/mrpc": None, "demo/rotten_tomatoes": None}
"""The data sets, with the training rows that are used where that is not all."""
SEEDS = 2


def cell(models, task, recipe, seed):
    """A cell by one recipe from search to training."""
    rows = [] if TASKS[task] is None else [("train_rows", TASKS[task])]
    options = (("bf16", True), ("standardize", True), *rows)
    return Cell(task, str(models / "all-MiniLM-L6-v2"), recipe, options, exits="learned", seed=seed)


def cells(models):
    """All cells, the first seed of all first."""
    return [cell(models, task, recipe, seed) for seed in range(SEEDS) for task in TASKS for recipe in RECIPES]


def row(task, recipe):
    """A recipe's line: AVG on dev, AVG and BEST on test, minutes; over the seeds that are there."""
    found = [one for seed in range(SEEDS) if (one := cell(Path(), task, recipe, seed)) in RESULTS]
    if not found:
        return None
    records = [RESULTS[one] for one in found]
    search = sum(RESULTS[found[0].search]["history"]["seconds"]) / 60
    dev = [100 * float(np.mean(record["dev"])) for record in records]
    avg, best = ([100 * record[name] for record in records] for name in ("avg", "best"))
    minutes = search + float(np.mean([record["minutes"] for record in records]))
    shown = [mean_and_spread(values) if len(values) > 1 else f"{values[0]:.1f}" for values in (dev, avg, best)]
    return [task.split("/")[1], recipe, str(len(records)), *shown, f"{minutes:.1f}"]


def render():
    """Write the table into the page."""
    lines = [line for task in TASKS for recipe in RECIPES if (line := row(task, recipe))]
    heads = ["task", "recipe", "seeds", "AVG on dev", "AVG on test", "BEST on test", "minutes"]
    write_between(PAGE, BEGIN, END, markdown(heads, lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path)
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--render", action="store_true")
    arguments = parser.parse_args()
    if not arguments.render:
        wanted = cells(arguments.models)
        run_all(dict.fromkeys(wanted, FILE), RESULTS.root, glue_dir=arguments.glue_dir, jobs=arguments.jobs)
    render()


if __name__ == "__main__":
    main()
