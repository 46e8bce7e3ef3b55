"""COBEE, the paper's comparison-based criterion (section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import REGRESSION, SINGLE_LABEL, Array, Task
from leco.criteria.counting import Counting, patiences, taus
from leco.options import option


@dataclass(frozen=True)
class Cobee(Counting):
    """Leave when the newer exit's label has about the same probability in `patience` adjacent pairs of exits.

    `k* = argmax p_m`, `di = |p_m(k*) - p_{m-1}(k*)|` (eq. 6); the counter grows when `di < tau` and else resets
    (eq. 7). The earliest exit layer is `patience + 1`. A regression's single output is compared as it is.

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.4, 0.6]], [[0.2, 0.8]], [[0.15, 0.85]], [[0.1, 0.9]]])  # [M, N, K]
    >>> simulate(Cobee(tau=0.1, patience=1), exits, Task(num_outputs=2, num_layers=4))
    array([3])
    """

    name: ClassVar[str] = "cobee"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, REGRESSION})

    tau: float = option(
        0.1, "Largest change of probability that still agrees (not included); from 0, never.", minimum=0
    )

    def agrees(self, scores: Array, previous: Array) -> Array:
        """Equation 6 against the threshold."""
        rows = np.arange(len(scores))
        label = scores.argmax(-1)
        return np.abs(scores[rows, label] - previous[rows, label]) < self.tau

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Cobee"]:
        """All patience values, each with rising thresholds."""
        return [cls(patience=patience, tau=tau) for patience in patiences(task) for tau in taus()]
