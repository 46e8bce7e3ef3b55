"""Criteria that look at one exit alone: entropy, maximum probability, margin."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.criteria.counting import taus
from leco.options import option


def entropy(probabilities: Array, *, normalized: bool = False) -> Array:
    """`-sum p log p` in nats over the last axis of probabilities [.., K]; `normalized` divides by `log K`."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    nats: Array = -(probabilities * logs).sum(-1)
    return nats / np.log(probabilities.shape[-1]) if normalized else nats


@dataclass(frozen=True)
class Entropy(Criterion):
    """Leave when the entropy of the exit's probabilities is below `tau` (BranchyNet; DeeBERT 2004.12993).

    `-sum p log p < tau`, in nats, or divided by `log K` with `normalized` (FastBERT).
    """

    name: ClassVar[str] = "entropy"

    tau: float = option(
        0.1, "Entropy below which a row leaves, in nats (or as a share of log K); from 0, never.", minimum=0
    )
    normalized: bool = option(False, "Divide the entropy by log K, so that it lies between 0 and 1.")

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the entropy with the threshold."""
        return entropy(scores, normalized=self.normalized) < self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Entropy"]:
        """Rising thresholds up to the largest entropy there is."""
        return [cls(tau=tau) for tau in taus(largest=float(np.log(task.num_outputs)), points=120)]


@dataclass(frozen=True)
class MaxProbability(Criterion):
    """Leave when the largest probability is above `tau` (Schwartz et al. 2020).

    For two labels it orders texts as the entropy does; for more it does not.
    """

    name: ClassVar[str] = "max-probability"

    tau: float = option(0.9, "Probability above which a row leaves; up to 1, never.", minimum=0, maximum=1)

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the largest probability with the threshold."""
        return scores.max(-1) > self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["MaxProbability"]:
        """Falling thresholds."""
        return [cls(tau=max(1.0 - tau, 0.0)) for tau in taus(points=120)]


@dataclass(frozen=True)
class Margin(Criterion):
    """Leave when the largest probability exceeds the second largest by more than `tau`."""

    name: ClassVar[str] = "margin"

    tau: float = option(
        0.8,
        "Difference of the two largest probabilities above which a row leaves; up to 1, never.",
        minimum=0,
        maximum=1,
    )

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Compare the difference of the two largest with the threshold."""
        second, first = np.partition(scores, -2, axis=-1)[:, -2:].T
        return first - second > self.tau, state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Margin"]:
        """Falling thresholds."""
        return [cls(tau=max(1.0 - tau, 0.0)) for tau in taus(points=120)]
