"""BEEM: the confidence of exits that agree, added up."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from leco.criteria import Beem
from leco.export.criteria.base import Values, Writer
from leco.export.graph import FLOAT, INT64, Graph


class BeemWriter(Writer):
    """The sum of the confidences from a threshold on."""

    criterion = Beem
    types: ClassVar[Mapping[str, int]] = {"sum": FLOAT, "label": INT64}

    def start(self, graph: Graph, rows: str) -> Values:
        """No confidence in any label."""
        zeros = {"sum": graph.constant(0, np.float32), "label": graph.constant(0)}
        return {name: graph.op("Expand", zero, rows) for name, zero in zeros.items()}

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Add the confidence to that in the same label, and compare."""
        label = graph.op("ArgMax", scores, axis=1, keepdims=0)
        same = graph.op("Equal", label, state["label"])
        before = graph.op("Where", same, state["sum"], graph.constant(0, np.float32))
        total = graph.op("Add", before, graph.op("ReduceMax", scores, graph.constant([1]), keepdims=0))
        return graph.op("Less", total, self.settings["alpha"]), {"sum": total, "label": label}
