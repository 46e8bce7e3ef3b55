"""Criteria that look at one exit alone: entropy, maximum probability, margin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.criteria.grids import falling, largest_entropy, rising
from leco.criteria.information import entropy, normalized_entropy
from leco.options import option


@dataclass(frozen=True)
class Entropy(Criterion):
    """Leave when the exit is certain: its entropy is below `tau`.

    `H(p_m) = -sum_k p_m(k) log p_m(k) < tau`, in nats; with `normalized`, `H(p_m) / log K < tau`.
    `p_m` [B, K] are the scores of exit m. It can leave by the first exit.

    Source: BranchyNet (Teerapittayanon et al. 2016), DeeBERT (2004.12993); normalized: FastBERT (2004.02178).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.5, 0.5]], [[0.9, 0.1]], [[1.0, 0.0]]])  # [M, N, K], of entropy 0.69, 0.33 and 0
    >>> simulate(Entropy(tau=0.4), exits, Task(num_outputs=2, num_layers=3))
    array([2])
    """

    name: ClassVar[str] = "entropy"

    tau: float = option(0.1, "Entropy below which a row leaves, in nats, or as a share of log K.", minimum=0)
    normalized: bool = option(False, "Divide the entropy by log K, so that it lies between 0 and 1.")

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the entropy with the threshold."""
        return (normalized_entropy if self.normalized else entropy)(scores) < self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Entropy"]:
        """Rising thresholds up to the largest entropy there is."""
        return [cls(tau) for tau in rising(largest_entropy(task), points=120)]


@dataclass(frozen=True)
class MaxProbability(Criterion):
    """Leave when the largest probability is above `tau`.

    `max_k p_m(k) > tau`; `p_m` [B, K] are the scores of exit m. It can leave by the first exit.
    For two labels it orders texts as the entropy does; for more it does not.

    Source: Schwartz et al. 2020 (2004.07453).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.5, 0.5]], [[0.9, 0.1]], [[1.0, 0.0]]])  # [M, N, K]
    >>> simulate(MaxProbability(tau=0.8), exits, Task(num_outputs=2, num_layers=3))
    array([2])
    """

    name: ClassVar[str] = "max-probability"

    tau: float = option(0.9, "Probability above which a row leaves, between 0 and 1.", minimum=0, maximum=1)

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the largest probability with the threshold."""
        return scores.max(-1) > self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["MaxProbability"]:
        """Falling thresholds, from 1 to just below 1 / K, which every largest probability reaches."""
        return [cls(tau) for tau in falling(1 - 1 / task.num_outputs)]


@dataclass(frozen=True)
class Margin(Criterion):
    """Leave when the largest probability exceeds the second largest by more than `tau`.

    `p_m(k1) - p_m(k2) > tau`, with k1 and k2 the two labels of the largest probabilities; `p_m` [B, K] are the
    scores of exit m. It can leave by the first exit.

    Source: the margin of active learning (Scheffer et al. 2001), here as an exit criterion.

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.5, 0.4, 0.1]], [[0.8, 0.1, 0.1]], [[1.0, 0.0, 0.0]]])  # [M, N, K]
    >>> simulate(Margin(tau=0.5), exits, Task(num_outputs=3, num_layers=3))
    array([2])
    """

    name: ClassVar[str] = "margin"

    tau: float = option(
        0.8, "Difference of the two largest probabilities above which a row leaves, from 0 to 1.", minimum=0, maximum=1
    )

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the difference of the two largest with the threshold."""
        second, first = np.partition(scores, -2, axis=-1)[:, -2:].T
        return first - second > self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Margin"]:
        """Falling thresholds, from 1 to 0."""
        return [cls(tau) for tau in falling()]
