"""Patience, PABEE's criterion (Zhou et al. 2020, 2006.04152)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import REGRESSION, SINGLE_LABEL, Array, Task
from leco.criteria.counting import Counting
from leco.options import option


@dataclass(frozen=True)
class Patience(Counting):
    """Leave when `patience` adjacent pairs of exits predict the same label.

    `y_m = y_{m-1}` with `y = argmax p` counts and else the counter resets; for a regression
    `|y_m - y_{m-1}| < theta` counts.
    The earliest exit layer is `patience + 1`.
    """

    name: ClassVar[str] = "patience"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, REGRESSION})

    theta: float = option(0.5, "Regression only: largest difference of outputs that still agrees.", minimum=0)

    def agrees(self, scores: Array, previous: Array) -> Array:
        """The same label, or for one output nearly the same value."""
        if scores.shape[1] == 1:
            return np.abs(scores[:, 0] - previous[:, 0]) < self.theta
        return scores.argmax(-1) == previous.argmax(-1)

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Patience"]:
        """All patience values; with the default `theta` for a regression."""
        return [cls(patience=patience) for patience in range(task.num_layers, 0, -1)]
