"""PCEE, patience over confident exits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from leco.criteria.base import Array, State, Task
from leco.criteria.counting import Counting, patience_option
from leco.criteria.grids import patiences, rising
from leco.criteria.information import normalized_entropy
from leco.options import option


@dataclass(frozen=True)
class Pcee(Counting):
    """Leave when `patience` exits in a row are certain.

    `H(p_m) / log K < tau`, with `H(p) = -sum_k p(k) log p(k)`, counts and else the counter resets; the row leaves
    when it reaches t. The exits are not compared, so the earliest exit is number t.
    `tau` is the threshold, `patience` is t; `p_m` [B, K] are the scores of exit m.

    Source: PCEE-BERT (Zhang et al. 2022, Findings of NAACL).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.5, 0.5]], [[0.9, 0.1]], [[1.0, 0.0]], [[1.0, 0.0]]])  # [M, N, K]
    >>> simulate(Pcee(tau=0.5, patience=2), exits, Task(num_outputs=2, num_layers=4))
    array([3])
    """

    name: ClassVar[str] = "pcee"

    tau: float = option(0.1, "Entropy, as a share of log K, below which an exit is certain.", minimum=0)
    patience: int = patience_option()

    def agrees(self, layer: int, scores: Array, state: State) -> Array:
        """Compare the entropy with the threshold."""
        return normalized_entropy(scores) < self.tau

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Pcee"]:
        """All patience values, each with rising thresholds."""
        return [cls(tau, patience) for patience in patiences(task) for tau in rising()]
