"""A search that looks at discrete exits: the best operations of each edge of a supernet, side by side, chosen on dev.

python -m studies.discrete_search --models MODELS --glue-dir GLUE    # writes studies/results/discrete_search.json
python -m studies.discrete_search --render                           # its section of docs/results.md

MODELS holds the folder all-MiniLM-L6-v2. The supernet is that of the search behind the page's tables. The operations of
each edge that weigh most make a layer's candidates, of which those with the largest products of weights are tried.
They learn as common/fitting.py says, two copies of each. One half of dev chooses by one copy, the other half scores the
other copy, which began with other weights: neither texts nor beginnings that were lucky are rewarded. That is done on
many halves, with the copies in both roles; on test all of dev has chosen. Shapes: M layers, n exits on each.
"""

import random
from collections import defaultdict
from itertools import product
from math import prod

import numpy as np
import torch

from leco.data import score
from leco.exits.architecture import EDGES, MHA, Architecture
from leco.exits.space import SPACES
from leco.reproduction.tables import markdown, mean_and_spread
from leco.search.costs import DEFAULT, OperationCosts
from studies.common.by_task_and_seed import grouped, main
from studies.common.fitting import Placed, fit, outputs
from studies.found_exits import search_of
from studies.random_exits import draw

SPACE = SPACES["O"]
BEST, CANDIDATES, RANDOM, COPIES, HALVES = 2, 8, 3, 2, 50
"""Operations of each edge, candidates of a layer, random exits beside them, copies of each; how often dev is halved."""
HEAVIEST = "heaviest in the supernet"


def candidates(weights, layer):
    """The architectures [CANDIDATES] of the largest products of weights, of the weights [M, O] of each edge."""
    best = []
    for edge in EDGES:
        named = zip(SPACE.operations(edge), weights[edge][layer], strict=True)
        best.append(sorted(named, key=lambda one: -one[1])[:BEST])
    by_weight = sorted(product(*best), key=lambda some: -prod(weight for _, weight in some))
    unique = {}
    for names in ([name for name, _ in some] for some in by_weight):
        first, *encoders, pooler, last = names
        if encoders != ["null", "null"]:  # they are summed: which is which does not matter
            unique.setdefault((first, *sorted(encoders), pooler, last), Architecture(*names, width=SPACE.width))
    return list(unique.values())[:CANDIDATES]


def choices(found, noise, costs):
    """What each way of choosing takes: shares [M, n] of the exits, by scores [M, n] on dev, their noise and costs."""
    places = np.arange(found.shape[1])
    among = np.where(places < CANDIDATES, found, -np.inf)
    cheap = np.where(among >= among.max(1, keepdims=True) - noise, -costs, -np.inf)
    return {
        "MHA": _same(found, places == CANDIDATES),
        "random of the space": _same(found, places > CANDIDATES),
        "random of the candidates": _same(found, places < CANDIDATES),
        HEAVIEST: _same(found, places == 0),
        "best on dev": places == among.argmax(1)[:, None],
        "cheapest near the best on dev": places == cheap.argmax(1)[:, None],
    }


def _same(found, wanted):
    """The same share of each of the wanted exits, on all layers."""
    return np.broadcast_to(wanted / wanted.sum(), found.shape)


def scores(said, rows, layers):
    """The scores [COPIES, M, n] of all exits on some rows of a split."""
    labels, predictions = said.split.labels[rows], said.scores.argmax(-1)[:, rows]
    return np.reshape([score(said.metric, labels, one) for one in predictions], (COPIES, layers, -1))


def judged(choosing, judging, sizes):
    """Of each way score, cost and parameters of its choice, means over the layers, with the copies in both roles."""
    noise = np.sqrt(np.mean((choosing[0] - choosing[1]) ** 2) / 2)
    for copy in range(COPIES):
        for way, taken in choices(choosing[copy], noise, sizes["cost"]).items():
            values = {"score": judging[1 - copy], **sizes}
            yield way, {name: float((taken * value).sum(1).mean()) for name, value in values.items()}


def tried(backbone):
    """What each way comes to on halves of dev, and on test where all of dev chooses."""
    random.seed(backbone.seed)
    weights = search_of(backbone.task)["history"]["weights"][-1]
    layers = backbone.model.num_layers
    by_layer = [[*candidates(weights, layer), MHA, *(draw() for _ in range(RANDOM))] for layer in range(layers)]
    exits = trained(backbone, by_layer)
    costs, parameters = OperationCosts.load(DEFAULT), [sum(map(torch.numel, one.parameters())) for one in exits]
    sizes = {
        "cost": np.array([[costs.of_exit(one, backbone.length) for one in some] for some in by_layer]),
        "parameters": np.reshape(parameters, (COPIES, layers, -1))[0],
    }
    dev, test = (outputs(exits, split, backbone.data) for split in (backbone.dev, backbone.test))
    rng, judgements = np.random.default_rng(0), defaultdict(lambda: defaultdict(list))
    for _ in range(HALVES):
        halves = np.array_split(rng.permutation(len(dev.split)), 2)
        for way, found in judged(*(scores(dev, rows, layers) for rows in halves), sizes):
            judgements[way]["dev"].append(found["score"])
    for way, found in judged(*(scores(said, slice(None), layers) for said in (dev, test)), sizes):
        for name, value in {"test": found.pop("score"), **found}.items():
            judgements[way][name].append(value)
    for way, found in judgements.items():
        yield {"way": way, **{name: float(np.mean(values)) for name, values in found.items()}}


def trained(backbone, by_layer):
    """The exits of each layer, COPIES times, trained side by side."""
    places = [(layer, one) for layer, some in enumerate(by_layer, start=1) for one in some] * COPIES
    exits = Placed([layer for layer, _ in places], [backbone.exit(*place) for place in places])
    fit(exits, backbone)
    return exits


def lines(rows):
    """Each way's AVG, how much higher it is than that of the heaviest, cost and parameters."""
    for task, some in grouped(rows, "task").items():
        by_way = grouped(some, "way")
        for way, found in by_way.items():
            line = [task, way]
            for split in ("dev", "test"):
                avg, usual = (np.array([100 * one[split] for one in those]) for those in (found, by_way[HEAVIEST]))
                line += [mean_and_spread(avg), mean_and_spread(avg - usual, sign="+")]
            cost, parameters = (np.mean([one[name] for one in found]) for name in ("cost", "parameters"))
            yield [*line, f"{cost:.2f}", f"{parameters:,.0f}"]


def tables(rows):
    """What the page shows."""
    heads = [
        "task",
        "exits",
        "AVG on dev",
        "less the heaviest's",
        "on test",
        "less the heaviest's",
        "cost",
        "parameters",
    ]
    return markdown(heads, lines(rows))


if __name__ == "__main__":
    main("discrete_search", tried, tables)
