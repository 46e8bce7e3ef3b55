"""Criteria that count agreements in a row."""

from abc import abstractmethod
from collections.abc import Mapping
from math import log
from typing import ClassVar

import numpy as np

from leco.criteria import Cobee, Patience, Pcee
from leco.export.criteria.base import Values, Writer
from leco.export.criteria.information import entropy
from leco.export.graph import FLOAT, INT64, Graph


class Counting(Writer):
    """Criteria that count agreements in a row."""

    types: ClassVar[Mapping[str, int]] = {"count": INT64}

    def start(self, graph: Graph, rows: str) -> Values:
        """A count of 0."""
        return {"count": graph.op("Expand", graph.constant(0), rows)}

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Count, and leave at the patience."""
        one_more = graph.op("Add", state["count"], graph.constant(1))
        count = graph.op("Where", self.agrees(graph, scores, state), one_more, graph.constant(0))
        return graph.op("Less", count, self.settings["patience"]), {"count": count}

    @abstractmethod
    def agrees(self, graph: Graph, scores: str, state: Values) -> str:
        """Whether the exit agrees, bool [b]."""


class PceeWriter(Counting):
    """Entropy as a share of log K below a threshold, several times in a row."""

    criterion = Pcee

    def agrees(self, graph: Graph, scores: str, state: Values) -> str:
        """Compare."""
        share = graph.op("Div", entropy(graph, scores), graph.constant(log(self.task.num_outputs), np.float32))
        return graph.op("Less", share, self.settings["tau"])


class Comparing(Counting):
    """Criteria that hold an exit against the one before. The first has none: counting from -1, it counts 0."""

    types: ClassVar[Mapping[str, int]] = {"count": INT64, "previous": FLOAT}

    def start(self, graph: Graph, rows: str) -> Values:
        """A count of -1, and scores that do not matter."""
        shape = graph.op("Concat", rows, graph.constant([self.task.num_outputs]), axis=0)
        return {
            "count": graph.op("Expand", graph.constant(-1), rows),
            "previous": graph.op("Expand", graph.constant(0, np.float32), shape),
        }

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Count, and keep the scores for the next layer."""
        stays, new = super().step(graph, scores, state)
        return stays, {**new, "previous": scores}

    def first(self, graph: Graph, scores: str, rows: str) -> Values | None:
        """The scores, and a count of 0."""
        return {**super().start(graph, rows), "previous": scores}

    def _change(self, graph: Graph, scores: str, state: Values) -> str:
        return graph.op("Abs", graph.op("Sub", scores, state["previous"]))  # [b, K]


class CobeeWriter(Comparing):
    """The probability of the newer exit's label changes by less than a threshold."""

    criterion = Cobee

    def agrees(self, graph: Graph, scores: str, state: Values) -> str:
        """Compare."""
        change = self._change(graph, scores, state)
        if self.task.num_outputs <= 2:  # of two probabilities, one changes as much as the other
            of_label = graph.op("Gather", change, graph.constant(0), axis=1)
        else:
            label = graph.op("ArgMax", scores, axis=1, keepdims=1)  # [b, 1]
            of_label = graph.op("Squeeze", graph.op("GatherElements", change, label, axis=1), graph.constant([1]))
        return graph.op("Less", of_label, self.settings["tau"])


class PatienceWriter(Comparing):
    """The same label, or for a regression nearly the same value."""

    criterion = Patience

    def agrees(self, graph: Graph, scores: str, state: Values) -> str:
        """Compare."""
        if not self.task.problem.has_names:
            change = graph.op("Squeeze", self._change(graph, scores, state), graph.constant([1]))
            return graph.op("Less", change, self.settings["theta"])
        label, before = (graph.op("ArgMax", p, axis=1, keepdims=0) for p in (scores, state["previous"]))
        return graph.op("Equal", label, before)
