"""Criteria that look at one exit alone."""

from abc import abstractmethod
from math import log

import numpy as np

from leco.criteria import Entropy, Lte, Margin, MaxProbability
from leco.export.criteria.base import Values, Writer
from leco.export.criteria.information import entropy
from leco.export.graph import Graph


class Confident(Writer):
    """Criteria that look at one exit alone."""

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """The rows that do not leave stay."""
        return graph.op("Not", self.leaves(graph, scores)), state

    @abstractmethod
    def leaves(self, graph: Graph, scores: str) -> str:
        """Which rows leave, bool [b]."""


class EntropyWriter(Confident):
    """Entropy below a threshold."""

    criterion = Entropy

    def leaves(self, graph: Graph, scores: str) -> str:
        """Compare."""
        share = graph.op("Div", entropy(graph, scores), graph.constant(log(self.task.num_outputs), np.float32))
        in_nats = entropy(graph, scores)
        value = graph.op("Where", self.settings["normalized"], share, in_nats)
        return graph.op("Less", value, self.settings["tau"])


class MaxProbabilityWriter(Confident):
    """Largest probability above a threshold."""

    criterion = MaxProbability

    def leaves(self, graph: Graph, scores: str) -> str:
        """Compare."""
        return graph.op("Greater", graph.op("ReduceMax", scores, graph.constant([1]), keepdims=0), self.settings["tau"])


class MarginWriter(Confident):
    """Difference of the two largest probabilities above a threshold."""

    criterion = Margin

    def leaves(self, graph: Graph, scores: str) -> str:
        """Compare."""
        largest, _ = graph.ops("TopK", scores, graph.constant([2]), outputs=2, axis=1)  # [b, 2]
        first, second = (graph.op("Gather", largest, graph.constant(place), axis=1) for place in (0, 1))
        return graph.op("Greater", graph.op("Sub", first, second), self.settings["tau"])


class LteWriter(Confident):
    """The doubt about an exit below a threshold."""

    criterion = Lte

    def leaves(self, graph: Graph, scores: str) -> str:
        """Compare the doubts, given as `scores` [b]."""
        return graph.op("Less", scores, self.settings["tau"])
