"""What is missing of the exits that a search found: their variants, side by side on each layer with the MHA exit.

python -m studies.found_exits cola --glue-dir GLUE    # writes studies/results/found_exits_cola.json

Each variant stands there several times, from weights of its own, so that what starts them differently can be told
from what they are. They train as common/side_by_side.py says; the scores are dev's.
"""

from dataclasses import replace

from leco.exits.architecture import MHA, Architecture, architecture_from_dict
from studies.common.paper_tables import RECIPE, RESULTS, all_of
from studies.common.side_by_side import LAYERS, dev_scores, main

ATTEND = Architecture("tanh", "mha_4", "mha_4", "avg", "tanh")
VARIANTS = {
    "MHA exit": lambda found: MHA,
    "found": lambda found: found,
    "found, first activation tanh": lambda found: replace(found, activation_1="tanh"),
    "found, no first activation": lambda found: replace(found, activation_1="null"),
    "found, width 48": lambda found: replace(found, width=48),
    "found, width 48, first activation tanh": lambda found: replace(found, width=48, activation_1="tanh"),
    "everywhere two attentions of 4 heads, tanh, mean": lambda found: ATTEND,
}


def search_of(task):
    """The record of the recipe's search for a task."""
    cells = (cell for cell in all_of("table6").tables.experiments if cell.search_preset == RECIPE)
    (search,) = (cell.needs for cell in cells if cell.task == f"glue/{task}")
    return RESULTS[search]


def searched(task):
    """The architectures that the recipe's search found for a task."""
    return [architecture_from_dict(one) for one in search_of(task)["architectures"]]


def compared(task, data, copies):
    by_layer = [[variant(one) for variant in VARIANTS.values() for _ in range(copies)] for one in searched(task)]
    found = dev_scores(data, by_layer).reshape(LAYERS, len(VARIANTS), copies)
    variants = {
        name: {"layers": found[:, place].mean(1).tolist(), "avg": found[:, place].mean(0).tolist()}
        for place, name in enumerate(VARIANTS)
    }
    return {"task": task, "metric": data.metric, "recipe": RECIPE, "copies": copies, "variants": variants}


if __name__ == "__main__":
    main("found_exits", compared, copies=3)
