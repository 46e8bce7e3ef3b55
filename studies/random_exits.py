"""What an exit's architecture is worth: random architectures of the whole space, side by side on each layer.

python -m studies.random_exits cola --glue-dir GLUE    # writes studies/results/random_exits.json

The MHA exit and many random ones train as common/side_by_side.py says; the scores are dev's. For each operation: how
much higher exits score on the layers that have it (the coefficient of a ridge regression over the random exits of a
layer, a mean over the layers).
"""

import argparse
import random
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge

from benchmarks.common.recording import report
from leco.data import load_data
from leco.exits.architecture import EDGES, MHA, Architecture
from leco.exits.space import SPACES
from studies.common.side_by_side import LAYERS, dev_scores

SPACE = SPACES["O"]


def draw():
    """A random architecture of the whole space."""
    edges = {edge: random.choice(SPACE.operations(edge)) for edge in EDGES}
    return draw() if edges["encoder_1"] == edges["encoder_2"] == "null" else Architecture(**edges, width=SPACE.width)


def effects(by_layer, found):
    """For each operation of each edge its effect on the score, by layer [M]; the two encoder edges count as one."""
    kinds = {edge: edge.removesuffix("_1").removesuffix("_2") if "encoder" in edge else edge for edge in EDGES}
    names = sorted({(kinds[edge], name) for edge in EDGES for name in SPACE.operations(edge)})
    coefficients = []
    for layer, values in zip(by_layer, found, strict=True):
        x = np.array([[sum((kinds[e], getattr(one, e)) == name for e in EDGES) for name in names] for one in layer])
        coefficients.append(Ridge(alpha=3.0).fit(x, values).coef_)
    return {" ".join(name): column.tolist() for name, column in zip(names, np.transpose(coefficients), strict=True)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--exits", type=int, default=32, help="random exits on each layer")
    parser.add_argument("--train-rows", type=int)
    arguments = parser.parse_args()
    random.seed(0)
    data = load_data(f"glue/{arguments.task}", glue_dir=arguments.glue_dir, train_rows=arguments.train_rows)
    by_layer = [[MHA, *(draw() for _ in range(arguments.exits))] for _ in range(LAYERS)]
    found = dev_scores(data, by_layer)
    row = {"task": data.name, "metric": data.metric, "exits": arguments.exits, "mha": found[:, 0].tolist()}
    random_ones = found[:, 1:]
    spread = {"mean": random_ones.mean(1).tolist(), "std": random_ones.std(1).tolist()}
    report(
        "studies/random_exits", [{**row, **spread, "effects": effects([layer[1:] for layer in by_layer], random_ones)}]
    )


if __name__ == "__main__":
    main()
