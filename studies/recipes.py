"""What the recipes `quick` and `sampling` find and take on four data sets, and what COBEE and the contest choose then.

python -m studies.recipes --models MODELS --glue-dir GLUE     # runs what is missing, and then the choices
python -m studies.recipes --choices --glue-dir GLUE           # the choices alone, of the cells that have run here
python -m studies.recipes --render                            # writes the tables of what is there

MODELS holds the folder all-MiniLM-L6-v2. The cells are lines of studies/results/recipes.jsonl; exits are standardized
in both. What the recipes take is measured by `benchmarks.demo`, which needs a machine for itself. The choices,
`recipes_choices.json`, are made of the exits' outputs on dev, which cells leave beside them, and scored on test.
"""

from pathlib import Path

import numpy as np

from benchmarks.common.recording import DOCS, read, report, source, write_between
from leco.evaluation.contest import hold_contest, kinds_named
from leco.reproduction import Cell
from leco.reproduction.tables import markdown, mean_and_spread
from studies.common.outputs import stored_outputs, task_of
from studies.common.own_results import RESULTS, command_line, run_missing

PAGE = DOCS / "results.md"
FILE = "recipes"
BEGIN, END = "<!-- recipes: begin -->", "<!-- recipes: end -->"
CHOICES = "studies/recipes_choices"
RECIPES = "quick", "sampling"
TASKS = "glue/sst-2", "glue/cola", "glue/mrpc", "demo/rotten_tomatoes"
ROWS, SEEDS = 3_000, 1
"""The training rows of each data set that are used, and the number of seeds."""
MAX_DROP = 0.01


def cell(models, task, recipe, seed):
    """A cell by one recipe from search to training."""
    options = (("bf16", True), ("standardize", True), ("train_rows", ROWS))
    return Cell(task, str(models / "all-MiniLM-L6-v2"), recipe, options, exits="learned", seed=seed)


def cells(models):
    """All cells, the first seed of all first."""
    return [cell(models, task, recipe, seed) for seed in range(SEEDS) for task in TASKS for recipe in RECIPES]


def choices(one, glue_dir):
    """What COBEE alone, and what the contest of all criteria chooses on dev, and what it comes to on test."""
    dev, test = stored_outputs(RESULTS, one, glue_dir)
    task = task_of(dev)
    kinds = {
        "cobee": kinds_named("cobee"),
        "auto": [
            kind
            for kind in kinds_named("auto")
            if task.problem_type in kind.problem_types and kind.observes in (None, *dev.observed)
        ],
    }
    for name, some in kinds.items():
        found = hold_contest(some, dev, task, MAX_DROP)
        layers = test.exit_layers(found.criterion, task)
        yield {
            "task": one.task,
            "recipe": one.preset,
            "seed": one.seed,
            "choice": name,
            "criterion": str(found.criterion),
            "fixed_layer": found.fixed_layer,
            "full_depth_score": test.score_of(test.scores[-1]),
            "score": test.at(layers),
            "layers_saved": 1 - float(layers.mean()) / task.num_layers,
        }


def row(task, recipe):
    """A recipe's line: AVG on dev, AVG and BEST on test; over the seeds that are there."""
    found = [one for seed in range(SEEDS) if (one := cell(Path(), task, recipe, seed)) in RESULTS]
    if not found:
        return None
    records = [RESULTS[one] for one in found]
    dev = [100 * float(np.mean(record["dev"])) for record in records]
    avg, best = ([100 * record[name] for record in records] for name in ("avg", "best"))
    shown = [mean_and_spread(values) if len(values) > 1 else f"{values[0]:.1f}" for values in (dev, avg, best)]
    return [task.split("/")[1], recipe, str(len(records)), *shown]


def choice_row(one):
    """The line of a choice."""
    early, full = 100 * one["score"], 100 * one["full_depth_score"]
    fixed = "" if one["fixed_layer"] is None else str(one["fixed_layer"])
    saved = f"{100 * one['layers_saved']:.0f} %"
    return [
        one["task"].split("/")[1],
        one["recipe"],
        str(one["seed"]),
        one["choice"],
        f"`{one['criterion']}`",
        f"{full:.1f}",
        f"{early - full:+.1f}",
        saved,
        fixed,
    ]


def render():
    """Write the tables into the page."""
    lines = [line for task in TASKS for recipe in RECIPES if (line := row(task, recipe))]
    heads = ["task", "recipe", "seeds", "AVG on dev", "AVG on test", "BEST on test"]
    result = read(CHOICES)
    chosen = ["task", "recipe", "seed", "choice", "criterion", "full depth", "early", "layers saved", "as good: layer"]
    texts = [markdown(heads, lines), markdown(chosen, map(choice_row, result["rows"])), source(result)]
    write_between(PAGE, BEGIN, END, "\n\n".join(texts))


def main():
    parser = command_line()
    parser.add_argument("--choices", action="store_true")
    arguments = parser.parse_args()
    wanted = cells(arguments.models)
    if not (arguments.render or arguments.choices):
        run_missing(wanted, FILE, arguments)
    if not arguments.render:
        finished = [one for one in wanted if RESULTS.outputs(one).is_file()]
        report(CHOICES, [line for one in finished for line in choices(one, arguments.glue_dir)])
    render()


if __name__ == "__main__":
    main()
