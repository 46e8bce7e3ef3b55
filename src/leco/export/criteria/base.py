"""What writes an exit criterion, and the checks of its settings. Shapes: b rows inside, K outputs, M layers from 1."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from leco.criteria import Criterion, Task, setting_arrays
from leco.export.graph import ML, Graph

Layer = int | str
"""A layer's number, 0 for the embeddings, or in a loop the value that holds it."""
Values = dict[str, str]
"""Values of the graph by name: what a criterion remembers of each row inside, or its settings."""


WRITERS: dict[type[Criterion], type["Writer"]] = {}
"""The criteria that a file can hold."""


@dataclass(frozen=True)
class Writer(ABC):
    """Writes a criterion for a `task`; `settings` are the graph's inputs, `types` those of what it remembers."""

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
            name: self._checked(graph, value, array.dtype, fields[name].metadata)
            for (name, value), array in zip(self.settings.items(), setting_arrays(criterion).values(), strict=True)
        }

    def _checked(self, graph: Graph, name: str, dtype: np.dtype[Any], allowed: Mapping[str, Any]) -> str:
        if dtype.kind == "b":
            return name
        return (self._place if dtype.kind == "O" else self._in_range)(graph, name, dtype, allowed)

    def _place(self, graph: Graph, name: str, dtype: np.dtype[Any], allowed: Mapping[str, Any]) -> str:
        """The number of a word among those allowed."""
        words = allowed["choices"]
        numbers = {"keys_strings": words, "values_int64s": list(range(len(words))), "default_int64": -1}
        place = graph.op("LabelEncoder", name, domain=ML, **numbers)
        return graph.check(
            place, graph.op("Less", place, graph.constant(0)), f"{name} is not one of {', '.join(words)}"
        )

    def _in_range(self, graph: Graph, name: str, dtype: np.dtype[Any], allowed: Mapping[str, Any]) -> str:
        whole = np.issubdtype(dtype, np.integer)
        last = np.iinfo(dtype).max if whole else np.finfo(dtype).max  # infinity is beyond it
        low, high = allowed["minimum"], self.largest(name) or allowed["maximum"]
        words = f"from {low}"
        if low is None:
            words, low = f"above {allowed['above']}", np.nextafter(dtype.type(allowed["above"]), dtype.type(np.inf))
        inside = graph.op(
            "Clip", name, graph.constant(low, dtype), graph.constant(last if high is None else high, dtype)
        )
        words += " up" if high is None else f" to {high}"
        fault = graph.op("Not", graph.op("Equal", inside, name))  # not a number is not equal to itself
        return graph.check(name, fault, f"{name} is not {'' if whole else 'a number '}{words}")

    def largest(self, setting: str) -> int | None:
        """What this model allows of a setting at most, where that is less than the criterion allows of any."""
        return None

    def start(self, graph: Graph, rows: str) -> Values:
        """What is remembered before the first exit, for a batch of `rows` [1] rows."""
        return {}

    def first(self, graph: Graph, scores: str, rows: str) -> Values | None:
        """What is remembered after the first exit, which says `scores` [b, K], where that never decides."""
        return None

    @abstractmethod
    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Which rows stay (bool [b]) after a layer, whose exit says `scores` [b, K], and what is remembered then.

        A criterion that `observes` something else is given that in place of the scores.
        """

    def needs(self, graph: Graph, layer: Layer) -> str | None:
        """Where the criterion decides without scores: whether all leave after `layer`, a scalar."""
        return None
