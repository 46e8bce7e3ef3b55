"""Criteria that decide without looking at confidence: a fixed layer, and the bound that no criterion passes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from leco.criteria.base import MULTI_LABEL, REGRESSION, SINGLE_LABEL, Array, Criterion, State, Task
from leco.options import option


@dataclass(frozen=True)
class Static(Criterion):
    """Every text leaves at the same layer (section 3.1); 0 is the last one, the full depth."""

    name: ClassVar[str] = "static"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, MULTI_LABEL, REGRESSION})

    layer: int = option(0, "The layer at which every text leaves, counted from 1; 0 is the last one.", minimum=0)

    def uses(self, layer: int) -> bool:
        """Only the appointed exit is computed."""
        return layer == self.layer

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """All leave at the appointed layer."""
        return np.full(len(scores), layer == self.layer), state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Static"]:
        """All layers, the last first."""
        return [cls(layer=layer) for layer in range(task.num_layers, 0, -1)]


@dataclass(frozen=True)
class Oracle(Criterion):
    """Leave at the first layer that is right, and at the last one where none is: for analysis only.

    It needs the labels [N], in the order of the rows. No criterion can have a better score at any depth.
    """

    name: ClassVar[str] = "oracle"
    deployable: ClassVar[bool] = False

    labels: Any = field(default=(), repr=False)

    def start(self, rows: int, task: Task) -> State:
        """The labels; LecoError-free only when there is one for each row."""
        labels = np.asarray(self.labels)
        if labels.shape != (rows,):
            raise ValueError(
                f"the oracle needs one label for each of the {rows} rows, not labels of shape {labels.shape}"
            )
        return {"labels": labels}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Leave where the label is right."""
        return scores.argmax(-1) == state["labels"], state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Oracle"]:
        """It has no settings and needs labels, so there is nothing to sweep."""
        return []
