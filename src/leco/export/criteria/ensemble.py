"""The decision by all exits so far."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from leco.criteria import Ensemble
from leco.export.criteria.base import Values, Writer
from leco.export.criteria.information import logarithm
from leco.export.graph import FLOAT, Graph


class EnsembleWriter(Writer):
    """The largest probability of the exits' geometric mean above a threshold."""

    criterion = Ensemble
    types: ClassVar[Mapping[str, int]] = {"logs": FLOAT, "exits": FLOAT}

    def start(self, graph: Graph, rows: str) -> Values:
        """No exits yet."""
        zero = graph.constant(0, np.float32)
        shapes = {"logs": self.task.num_outputs, "exits": 1}
        return {
            name: graph.op("Expand", zero, graph.op("Concat", rows, graph.constant([size]), axis=0))
            for name, size in shapes.items()
        }

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Multiply one more exit in, as a sum of logarithms, and compare."""
        columns = graph.constant([1])
        logs = graph.op("Add", state["logs"], logarithm(graph, scores))
        exits = graph.op("Add", state["exits"], graph.constant(1, np.float32))  # [b, 1]
        behind = graph.op("Sub", logs, graph.op("ReduceMax", logs, columns, keepdims=1))
        odds = graph.op("Exp", graph.op("Div", behind, exits))  # of each label against the likeliest
        sure = graph.op("Reciprocal", graph.op("ReduceSum", odds, columns, keepdims=0))
        return graph.op("LessOrEqual", sure, self.settings["tau"]), {"logs": logs, "exits": exits}
