"""Patience, PABEE's criterion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from leco.criteria.base import Array, Task
from leco.criteria.counting import Comparing, patience_option
from leco.criteria.grids import changes, patiences
from leco.options import option
from leco.problems import REGRESSION, SINGLE_LABEL, Problem


@dataclass(frozen=True)
class Patience(Comparing):
    """Leave when `patience` adjacent pairs of exits predict the same.

    With `y_m = argmax p_m`, `y_m = y_{m-1}` counts and else the counter resets; for a regression, where y is the
    value, `|y_m - y_{m-1}| < theta` counts. The row leaves when the counter reaches t: at exit t + 1 or later.
    `patience` is t, `theta` is used by a regression only; `p_m` [B, K] or `y_m` [B, 1] are the scores.

    Source: PABEE (Zhou et al. 2020, 2006.04152).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.6, 0.4]], [[0.2, 0.8]], [[0.4, 0.6]], [[0.1, 0.9]]])  # [M, N, K]
    >>> simulate(Patience(patience=1), exits, Task(num_outputs=2, num_layers=4))
    array([3])
    """

    name: ClassVar[str] = "patience"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, REGRESSION})

    patience: int = patience_option()
    theta: float = option(0.5, "Regression only: change of the value, in its unit, below which exits agree.", minimum=0)

    def similar(self, scores: Array, previous: Array, problem: Problem) -> Array:
        """The same label, or for a regression nearly the same value."""
        return problem.alike(scores, previous, self.theta)

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Patience"]:
        """All patience values; for a regression, each with rising `theta`."""
        thetas = [cls.theta] if task.problem.has_names else changes(task)
        return [cls(patience, theta) for patience in patiences(task) for theta in thetas]
