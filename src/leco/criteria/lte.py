"""Learning to exit (BERxiT)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from leco.criteria.base import DOUBTS, Array, Criterion, State, Task
from leco.criteria.grids import rising
from leco.options import option
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL


@dataclass(frozen=True)
class Lte(Criterion):
    """Leave when the model's meta-classifier has little doubt about the exit.

    `u_m < tau`, where the doubt `u_m = sigmoid(w . c_m + b)` [B] comes from the [CLS] state `c_m` of layer m, with w
    and b shared by all exits. The model learns them beside the exits, by the squared error to `1 - [exit m is right]`,
    or for a regression to `tanh |y_m - y|`, in standard deviations of the training values. Its gradient reaches w and b
    alone; only the common bound on the gradient's norm, by which a step is scaled, counts it too. About an exit on the
    embeddings, where all texts have one [CLS] state, the doubt is 1: no text leaves there.

    Source: BERxiT (Xin et al. 2021), section 3.3.

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> doubts = np.array([[0.6, 0.1], [0.3, 0.1], [0.2, 0.1]])  # [M, N]
    >>> simulate(Lte(tau=0.4), np.zeros((3, 2, 2)), Task(num_outputs=2, num_layers=3), {"doubts": doubts})
    array([2, 1])
    """

    name: ClassVar[str] = "lte"
    observes: ClassVar[str | None] = DOUBTS
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, MULTI_LABEL, REGRESSION})

    tau: float = option(0.2, "Doubt below which a row leaves, 0 to 1; from 0, never.", minimum=0, maximum=1)

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the doubts, given as `scores` [B], with the threshold."""
        return scores < self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Lte"]:
        """Rising thresholds up to 1."""
        return [cls(min(tau, 1.0)) for tau in rising(points=120)]
