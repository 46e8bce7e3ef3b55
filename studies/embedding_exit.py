"""An exit on the embeddings: what it knows beside one on the first layer, and whether it earns its place below others.

python -m studies.embedding_exit --models MODELS --glue-dir GLUE    # writes studies/results/embedding_exit.json
python -m studies.embedding_exit --render                           # its section of docs/results.md

MODELS holds the folder all-MiniLM-L6-v2. Exits of some forms learn from the states of a trained backbone, as
common/fitting.py says. The form that is best on dev then stands below the model's own exits, as that of a layer that
takes no time, and common/chosen.py chooses on dev, the kind of criterion too: that which wins without the exit, for
both, or that which wins with it.
"""

from dataclasses import replace

import numpy as np

from leco.exits.architecture import Architecture
from leco.reproduction.tables import markdown, mean_and_spread
from leco.search.costs import DEFAULT, OperationCosts
from studies.common.by_task_and_seed import grouped, main
from studies.common.chosen import chosen, winner
from studies.common.fitting import Placed, fit, outputs

FORMS = {
    "mean, linear": Architecture("null", "skip-connect", "null", "avg", "null"),
    "mean, MLP": Architecture("null", "skip-connect", "null", "avg", "tanh"),
    "convolution, max": Architecture("relu", "conv_3", "null", "max", "tanh"),
    "attention, mean": Architecture("tanh", "mha_4", "null", "avg", "tanh"),
}
NONE, SAME = "none", "the same"
READS = {True: "standardized", False: "as they are"}
MHA_COST = 1.0
"""Of the model's own exits; the unit of the costs."""


def tried(backbone):
    """The forms' scores on the embeddings and the first layer, then what is chosen with the best below the others."""
    places = [(layer, form, standardized) for layer in (0, 1) for form in FORMS for standardized in READS]
    made = [backbone.exit(layer, FORMS[form], standardized) for layer, form, standardized in places]
    exits = Placed([layer for layer, *_ in places], made)
    fit(exits, backbone)
    said = [outputs(exits, split, backbone.data) for split in (backbone.dev, backbone.test)]
    for (layer, form, standardized), dev, test in zip(places, *(one.by_exit() for one in said), strict=True):
        yield {"layer": layer, "form": form, "reads": READS[standardized], "dev": dev, "test": test}
    own = [backbone.own(name) for name in ("dev", "test")]
    by_form = {form: said[0].by_exit()[places.index((0, form, True))] for form in FORMS}
    best = max(by_form, key=by_form.get)
    first = places.index((0, best, True))
    with_first = [
        replace(one, scores=np.stack([some.scores[first], *one.scores]), observed={}, on=())
        for some, one in zip(said, own, strict=True)
    ]
    usual = winner(own[0])
    yield from choices(backbone, usual, own, {"form": NONE, "kind": SAME})
    for name, kind in {SAME: usual, "its own": winner(with_first[0])}.items():
        yield from choices(backbone, kind, with_first, {"form": best, "kind": name}, FORMS[best])


def choices(backbone, kind, said, about, *added):
    """What is chosen on dev, of what the exits said of dev and test; those added are on the embeddings."""
    costs, length = OperationCosts.load(DEFAULT), backbone.length
    exits = [*(costs.of_exit(one, length) for one in added), *[MHA_COST] * backbone.model.num_layers]
    for choice in chosen(kind, *said, costs, length, exits, len(added)):
        yield {**about, **choice}


def layer_rows(rows):
    """Each form's score on dev and test, on the embeddings and on the first layer."""
    for (task, form, reads), some in grouped(rows, "task", "form", "reads").items():
        found = grouped(some, "layer")
        scores = [[100 * one[split] for one in found[layer]] for layer in (0, 1) for split in ("dev", "test")]
        yield [task, form, reads, *map(mean_and_spread, scores)]


def choice_rows(rows):
    """Score and time without an exit on the embeddings, and how much more they are with one on the same models."""
    for (task, precision, kept), some in grouped(rows, "task", "precision", "exits").items():
        without = [one for one in some if one["form"] == NONE]
        for kind, added in grouped([one for one in some if one["form"] != NONE], "kind").items():
            stays = sum(0 in one["exit_layers"] for one in added)
            line = [task, precision, kept, kind, f"{stays} of {len(added)}"]
            for name, unit in (("dev_score", 100), ("dev_time", 1), ("test_score", 100), ("test_time", 1)):
                before, after = (np.array([unit * one[name] for one in those]) for those in (without, added))
                line += [mean_and_spread(before), mean_and_spread(after - before, sign="+")]
            yield line


def tables(rows):
    """What the page shows."""
    heads = ["task", "form", "states", "embeddings: dev", "test", "layer 1: dev", "test"]
    gains = ["task", "precision", "exits", "kind of criterion", "kept"]
    gains += [text for name in ("dev", "time on dev", "test", "time on test") for text in (name, "with it")]
    layers, chosen_ = ([one for one in rows if name in one] for name in ("layer", "precision"))
    return "\n\n".join((markdown(heads, layer_rows(layers)), markdown(gains, choice_rows(chosen_))))


if __name__ == "__main__":
    main("embedding_exit", tried, tables)
