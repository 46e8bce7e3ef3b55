"""What each operation of an exit costs inside ONNX Runtime, by the length of the text, as a search by cost needs it.

python -m benchmarks.operation_costs [--output FILE]    # writes src/leco/search/operation_costs.json, or FILE

Random exits, of all operations that there are, run alone: one text, one session for each, with many copies of the
exit in it, which take their turns; of all rounds the fastest counts, which other work on the machine disturbs least.
The costs of operations are those that explain the times of the exits best as sums (least squares with costs that are
not negative); `null` and the first token's pooler add nothing. The unit is the MHA exit. The encoder's layer beside
them is a BERT's of the same hidden size. FILE is for `leco fit --cost-table`.
"""

import argparse
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import helper
from scipy.optimize import nnls
from torch import nn
from transformers import BertConfig, BertModel

from benchmarks.common.timing import interleaved
from leco.environment import machine, versions
from leco.exits.architecture import EDGES, MHA, Architecture
from leco.exits.modules import build_exit
from leco.export.exits import Tokens, write_exit
from leco.export.floats import Float32
from leco.export.fused import FusedBackbone
from leco.export.graph import FLOAT, INT32, Graph, make_model
from leco.export.int8 import Int8
from leco.files import write_json
from leco.runtime.session import open_session
from leco.search.costs import DEFAULT, EDGE_COSTS, OperationCosts

LENGTHS = (16, 32, 64, 128)
HIDDEN, HEADS, WIDTH = 384, 12, 32
EXITS, COPIES, ROUNDS = 200, 8, 20
"""Random exits, copies of each in a graph, and how often each is timed at each length."""
REACH = 4
"""How far each channel of a layer's inputs is said to reach, which its time in int8 does not depend on."""
FREE = {"activation_1": "null", "encoder": "null", "pooler": "cls", "activation_2": "null"}
"""The operation of each edge that adds nothing."""


def random_exits(number=EXITS):
    """Exits in which each operation comes about as often as the others of its edge."""
    random, found = np.random.default_rng(0), []
    while len(found) < number:
        chosen = {edge: str(random.choice(list(names))) for edge, names in EDGES.items()}
        if not chosen["encoder_1"] == chosen["encoder_2"] == "null":
            found.append(Architecture(**chosen, width=WIDTH))
    return found


def session_of(write):
    """A session on a graph with copies of what `write(graph, hidden, mask)` writes, all summed."""
    graph = Graph()
    values = [write(graph, "hidden", "mask") for _ in range(COPIES)]
    output = graph.output(graph.op("Sum", *values), "sum", FLOAT, None)
    inputs = [
        helper.make_tensor_value_info("hidden", FLOAT, ["batch", "length", HIDDEN]),
        *(helper.make_tensor_value_info(name, INT32, ["batch", "length"]) for name in ("mask", "input_ids")),
    ]
    return open_session(make_model(graph, inputs, [output], 18).SerializeToString(), threads=1)


def exit_session(architecture):
    """A session with copies of an exit, each with weights of its own."""

    def write(graph, hidden, mask):
        exit_ = build_exit(architecture, HIDDEN, 2).eval()
        return write_exit(graph, architecture, exit_, hidden, Tokens(mask, mask))[0]

    return session_of(write)


def layer_session(int8):
    """A session with copies of a BERT's layer."""
    config = BertConfig(
        hidden_size=HIDDEN, num_attention_heads=HEADS, intermediate_size=4 * HIDDEN, num_hidden_layers=1
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    layers = (module for module in model.modules() if isinstance(module, nn.Linear))
    ranges = {module: np.full(module.in_features, REACH, np.float32) for module in layers}
    backbone = FusedBackbone(model, Int8(ranges) if int8 else Float32())
    return session_of(lambda graph, hidden, mask: backbone.layer(graph, 0, hidden, mask))


def seconds_of(sessions, length):
    """The seconds of one copy in each session, on one text of so many tokens: the fastest of runs in turn."""
    random = np.random.default_rng(length)
    hidden = random.normal(size=(1, length, HIDDEN)).astype(np.float32)
    feed = {"hidden": hidden, **dict.fromkeys(("mask", "input_ids"), np.ones((1, length), np.int32))}
    ways = {name: lambda one=one: one.run(None, feed) for name, one in sessions.items()}
    return {name: min(some) / COPIES for name, some in interleaved(ways, ROUNDS).items()}


def columns():
    """The operations that have a cost of their own: by edge and name."""
    names = {table: list(EDGES[edge]) for edge, table in EDGE_COSTS.items()}
    return [(table, name) for table, some in names.items() for name in some if name != FREE[table]]


def explained(exits, seconds):
    """The base and the cost of each operation whose sums are nearest to the times of the exits."""
    names = columns()
    counts = [Counter((EDGE_COSTS[edge], getattr(one, edge)) for edge in EDGES) for one in exits]
    matrix = np.array([[1, *(count[name] for name in names)] for count in counts], float)
    (base, *costs), _ = nnls(matrix, np.asarray(seconds))
    error = np.abs(matrix @ [base, *costs] - seconds).mean() / np.mean(seconds)
    return float(base), dict(zip(names, map(float, costs), strict=True)), float(error)


def measure():
    """The table."""
    torch.manual_seed(0)
    exits = random_exits()
    sessions = {number: exit_session(one) for number, one in enumerate(exits)}
    sessions |= {"mha": exit_session(MHA), "float32": layer_session(int8=False), "int8": layer_session(int8=True)}
    base, units, layers = [], [], {"float32": [], "int8": []}
    operations = {table: {name: [] for name in EDGES[edge]} for edge, table in EDGE_COSTS.items()}
    for length in LENGTHS:
        seconds = seconds_of(sessions, length)
        unit = seconds["mha"]
        units.append(unit)
        at_least, costs, error = explained(exits, [seconds[number] for number in range(len(exits))])
        print(f"{length} tokens: the MHA exit takes {1e6 * unit:.0f} us; sums miss exits by {error:.0%} on average")
        base.append(round(at_least / unit, 4))
        for table, names in operations.items():
            for name, found in names.items():
                found.append(round(costs.get((table, name), 0.0) / unit, 4))
        for precision, found in layers.items():
            found.append(round(seconds[precision] / unit, 4))
    about = {**machine(), **versions(), "onnxruntime": onnxruntime.__version__}
    sizes = {"hidden_size": HIDDEN, "width": WIDTH, "threads": 1}
    return OperationCosts(about, sizes, list(LENGTHS), units, base, operations, layers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=DEFAULT)
    write_json(parser.parse_args().output, asdict(measure()))


if __name__ == "__main__":
    main()
