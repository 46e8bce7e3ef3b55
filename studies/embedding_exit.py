"""An exit on the embeddings: what it knows beside one on the first layer, and whether it earns its place below others.

python -m studies.embedding_exit --models MODELS --glue-dir GLUE    # writes studies/results/embedding_exit.json
python -m studies.embedding_exit --render                           # its section of docs/results.md

MODELS holds the folder all-MiniLM-L6-v2. Exits of some forms learn from the states of a trained backbone, as
common/fitting.py says. Each form on the embeddings then stands below the model's own exits, as that of a layer that
takes no time, and common/chosen.py chooses on dev.
"""

from dataclasses import replace

import numpy as np

from leco.exits.architecture import Architecture
from leco.reproduction.tables import markdown, mean_and_spread
from leco.search.costs import DEFAULT, OperationCosts
from studies.common.by_task_and_seed import grouped, main
from studies.common.chosen import chosen, layer_times
from studies.common.fitting import Placed, fit, outputs

FORMS = {
    "mean, linear": Architecture("null", "skip-connect", "null", "avg", "null"),
    "mean, MLP": Architecture("null", "skip-connect", "null", "avg", "tanh"),
    "convolution, max": Architecture("relu", "conv_3", "null", "max", "tanh"),
    "attention, mean": Architecture("tanh", "mha_4", "null", "avg", "tanh"),
}
NONE = "none"
READS = {True: "standardized", False: "as they are"}
MHA_COST = 1.0
"""Of the model's own exits; the unit of the costs."""


def tried(backbone):
    """The scores of all forms on the embeddings and the first layer, then what is chosen with each below the others."""
    places = [(layer, form, standardized) for layer in (0, 1) for form in FORMS for standardized in READS]
    made = [backbone.exit(layer, FORMS[form], standardized) for layer, form, standardized in places]
    exits = Placed([layer for layer, *_ in places], made)
    fit(exits, backbone)
    said = [outputs(exits, split, backbone.data) for split in (backbone.dev, backbone.test)]
    for (layer, form, standardized), dev, test in zip(places, *(one.by_exit() for one in said), strict=True):
        yield {"layer": layer, "form": form, "reads": READS[standardized], "dev": dev, "test": test}
    own = [backbone.own(name) for name in ("dev", "test")]
    yield from choices(backbone, own, NONE, [])
    for form, architecture in FORMS.items():
        first = places.index((0, form, True))
        below = [
            replace(one, scores=np.stack([some.scores[first], *one.scores]), on=())
            for some, one in zip(said, own, strict=True)
        ]
        yield from choices(backbone, below, form, [architecture])


def choices(backbone, said, form, added):
    """What is chosen on dev, of what the exits said of dev and test; those added are on the embeddings."""
    costs, length = OperationCosts.load(DEFAULT), backbone.length
    own = [MHA_COST] * backbone.model.num_layers
    first = [costs.of_exit(one, length) for one in added]
    for precision, layers in layer_times(costs, length, len(own)).items():
        for choice in chosen(*said, [*(0.0 for _ in added), *layers], [*first, *own]):
            choice["exit_layers"] = [layer - len(added) for layer in choice["exit_layers"]]
            yield {"form": form, "precision": precision, **choice}


def layer_rows(rows):
    """Each form's score on dev and test, on the embeddings and on the first layer."""
    for (task, form, reads), some in grouped(rows, "task", "form", "reads").items():
        found = grouped(some, "layer")
        scores = [[100 * one[split] for one in found[layer]] for layer in (0, 1) for split in ("dev", "test")]
        yield [task, form, reads, *map(mean_and_spread, scores)]


def choice_rows(rows):
    """Score and time without an exit on the embeddings, and how much more they are with one of each form."""
    for (task, precision, kept), some in grouped(rows, "task", "precision", "exits").items():
        by_form = grouped(some, "form")
        for form, found in by_form.items():
            line = [task, precision, kept, form, f"{sum(0 in one['exit_layers'] for one in found)} of {len(found)}"]
            for name, unit in (("dev_score", 100), ("dev_time", 1), ("test_score", 100), ("test_time", 1)):
                values, usual = ([unit * one[name] for one in those] for those in (found, by_form[NONE]))
                more = [value - base for value, base in zip(values, usual, strict=True)]
                line.append(mean_and_spread(values) if form == NONE else mean_and_spread(more, sign="+"))
            yield line


def tables(rows):
    """What the page shows."""
    scores = ["task", "form", "states", "embeddings: dev", "test", "layer 1: dev", "test"]
    heads = ["task", "precision", "exits", "on the embeddings", "kept", "dev", "time on dev", "test", "time on test"]
    return "\n\n".join(
        (
            markdown(scores, layer_rows([one for one in rows if "layer" in one])),
            markdown(heads, choice_rows([one for one in rows if "precision" in one])),
        )
    )


if __name__ == "__main__":
    main("embedding_exit", tried, tables)
