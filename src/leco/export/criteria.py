"""Exit criteria as ONNX nodes, equal to `leco.criteria` row by row; their settings are inputs of the graph.

A new one is a class here that says which criterion it writes. Shapes: b rows inside, K outputs, M layers from 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Any, ClassVar

import numpy as np

from leco.criteria import (
    Cobee,
    Criterion,
    Entropy,
    Margin,
    MaxProbability,
    Patience,
    Pcee,
    Static,
    Task,
    setting_arrays,
)
from leco.errors import unknown_name
from leco.export.graph import BOOL, FLOAT, INT64, Graph

Layer = int | str
"""A layer's number, counted from 1, or in a loop the value that holds it."""
Values = dict[str, str]
"""Values of the graph by name: what a criterion remembers of each row inside, or its settings."""


WRITERS: dict[type[Criterion], type["Writer"]] = {}
"""The criteria that a file can hold."""


@dataclass(frozen=True)
class Writer(ABC):
    """Writes a criterion; `settings` are the graph's inputs, `types` those of the tensors that it remembers."""

    task: Task
    settings: Values

    criterion: ClassVar[type[Criterion]]
    types: ClassVar[Mapping[str, int]] = {}

    def __init_subclass__(cls) -> None:
        """List the writer of a criterion."""
        if "criterion" in vars(cls):
            WRITERS[cls.criterion] = cls

    def check(self, graph: Graph, criterion: Criterion) -> Values:
        """The settings, each of which is an error of ONNX Runtime where it is none that the criterion takes."""
        fields = criterion.__dataclass_fields__
        return {
            name: value if array.dtype == bool else self._in_range(graph, value, array.dtype, fields[name].metadata)
            for (name, value), array in zip(self.settings.items(), setting_arrays(criterion).values(), strict=True)
        }

    def _in_range(self, graph: Graph, name: str, dtype: np.dtype[Any], allowed: Mapping[str, Any]) -> str:
        whole = np.issubdtype(dtype, np.integer)
        last = np.iinfo(dtype).max if whole else np.finfo(dtype).max  # infinity is beyond it
        low, high = allowed["minimum"], self.largest(name) or allowed["maximum"]
        inside = graph.op(
            "Clip", name, graph.constant(low, dtype), graph.constant(last if high is None else high, dtype)
        )
        words = f"from {low} up" if high is None else f"from {low} to {high}"
        fault = graph.op("Not", graph.op("Equal", inside, name))  # not a number is not equal to itself
        return graph.check(name, fault, f"{name} is not {'' if whole else 'a number '}{words}")

    def largest(self, setting: str) -> int | None:
        """What this model allows of a setting at most, where that is less than the criterion allows of any."""
        return None

    def start(self, graph: Graph, rows: str) -> Values:
        """What is remembered before layer 1, for a batch of `rows` [1] rows."""
        return {}

    def first(self, graph: Graph, scores: str, rows: str) -> Values | None:
        """What is remembered after layer 1, whose exit says `scores` [b, K], where that never decides."""
        return None

    @abstractmethod
    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Which rows stay (bool [b]) after a layer, whose exit says `scores` [b, K], and what is remembered then."""

    def needs(self, graph: Graph, layer: Layer) -> str | None:
        """Where the criterion decides without scores: whether all leave after `layer`, a scalar."""
        return None


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
    """Criteria that hold an exit against the one before. Infinity, from which all is far, stands before the first."""

    types: ClassVar[Mapping[str, int]] = {"count": INT64, "previous": FLOAT}

    def start(self, graph: Graph, rows: str) -> Values:
        """A count of 0, and what is far from all."""
        shape = graph.op("Concat", rows, graph.constant([self.task.num_outputs]), axis=0)
        return {**super().start(graph, rows), "previous": graph.op("Expand", graph.constant(np.inf, np.float32), shape)}

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


class StaticWriter(Writer):
    """All leave at one layer."""

    criterion = Static

    def needs(self, graph: Graph, layer: Layer) -> str | None:
        """Whether this is the layer."""
        last, given = graph.constant(self.task.num_layers), self.settings["layer"]
        chosen = graph.op("Where", graph.op("Cast", given, to=BOOL), given, last)
        return graph.op("Equal", chosen, graph.constant(layer) if isinstance(layer, int) else layer)

    def largest(self, setting: str) -> int | None:
        """The layer must exist."""
        return self.task.num_layers

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Never asked."""
        raise NotImplementedError("a fixed layer decides without scores")


def entropy(graph: Graph, scores: str) -> str:
    """The entropy [b] of `scores` [b, K], in nats."""
    bounds = graph.constant(np.finfo(np.float32).tiny, np.float32), graph.constant(1, np.float32)
    terms = graph.op("Mul", scores, graph.op("Log", graph.op("Clip", scores, *bounds)))
    return graph.op("Neg", graph.op("ReduceSum", terms, graph.constant([1]), keepdims=0))


def writer_for(criterion: Criterion) -> type[Writer]:
    """The writer of a criterion; a LecoError lists the criteria that there are writers of."""
    if type(criterion) not in WRITERS:
        raise unknown_name("criterion for ONNX", criterion.name, [known.name for known in WRITERS])
    return WRITERS[type(criterion)]
