"""COBEE, the paper's comparison-based criterion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Task
from leco.criteria.counting import Comparing, patience_option
from leco.criteria.grids import changes, patiences
from leco.options import option
from leco.problems import REGRESSION, SINGLE_LABEL, Problem


@dataclass(frozen=True)
class Cobee(Comparing):
    """Leave when the newer exit's label has about the same probability in `patience` adjacent pairs of exits.

    `k* = argmax p_m`, `di = |p_m(k*) - p_{m-1}(k*)|` (eq. 6); the counter grows where `di < tau` and else resets,
    and the row leaves when it reaches t (eq. 7). The earliest exit is number t + 1.
    `tau` is the threshold, `patience` is t; `p_m` [B, K] and `p_{m-1}` are the scores of two adjacent exits.

    The paper defines it for one label of many. For a regression, of one output, the same formula compares the
    values, as PABEE does: our extension.

    Source: LECO, section 5, equations 6 and 7.

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.4, 0.6]], [[0.2, 0.8]], [[0.15, 0.85]], [[0.1, 0.9]]])  # [M, N, K]
    >>> simulate(Cobee(tau=0.1, patience=1), exits, Task(num_outputs=2, num_layers=4))
    array([3])
    """

    name: ClassVar[str] = "cobee"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, REGRESSION})

    tau: float = option(
        0.1, "Change of probability (regression: of the value, in its unit) below which exits agree.", minimum=0
    )
    patience: int = patience_option()

    def similar(self, scores: Array, previous: Array, problem: Problem) -> Array:
        """Equation 6 against the threshold."""
        rows, label = np.arange(len(scores)), scores.argmax(-1)
        return np.abs(scores[rows, label] - previous[rows, label]) < self.tau

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Cobee"]:
        """All patience values, each with rising thresholds."""
        return [cls(tau, patience) for patience in patiences(task) for tau in changes(task)]
