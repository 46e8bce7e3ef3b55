"""A fixed exit layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.errors import LecoError, parameter
from leco.options import option
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL


@dataclass(frozen=True)
class Static(Criterion):
    """Every text leaves at the same layer: `m = layer`, counted from 1; 0 is the last one, the full depth.

    Only that layer's exit is computed. `scores` [B, K] are not looked at. No text leaves at an exit on the embeddings.

    Source: LECO, section 3.1 ("static early exiting").

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> simulate(Static(layer=2), np.zeros((3, 2, 5)), Task(num_outputs=5, num_layers=3))
    array([2, 2])
    """

    name: ClassVar[str] = "static"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, MULTI_LABEL, REGRESSION})

    layer: int = option(0, "The layer at which every text leaves, counted from 1; 0 is the last one.", minimum=0)

    def check(self, task: Task) -> None:
        """The layer must have an exit, too; LecoError where it has none."""
        super().check(task)
        if self.layer > task.num_layers:
            raise LecoError(
                f"{parameter('layer')} must be at most {task.num_layers}, the number of layers, not {self.layer}."
            )
        if self.layer and self.layer not in task.exit_layers:
            layers = ", ".join(map(str, task.above_embeddings))
            raise LecoError(f"{parameter('layer')} must be one that has an exit ({layers}) or 0, not {self.layer}.")

    def uses(self, layer: int) -> bool:
        """Only the appointed exit is computed."""
        return layer == self.layer > 0

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """All leave at the appointed layer."""
        return np.full(len(scores), self.uses(layer)), state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Static"]:
        """All layers that have an exit, the last first."""
        return [cls(layer) for layer in reversed(task.above_embeddings)]
