"""Criteria that count agreements in a row and leave when the count reaches the patience."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.options import option


@dataclass(frozen=True)
class Counting(Criterion):
    """`cnt_m = cnt_{m-1} + 1` where exit m agrees, else 0; leave when `cnt_m` reaches `patience` (LECO, eq. 7).

    `compares` says that exit m is held against exit m - 1, so that nothing can agree at layer 1.
    """

    compares: ClassVar[bool] = True

    patience: int = option(1, "Agreements in a row that are needed to leave; a whole number from 1.", minimum=1)

    @abstractmethod
    def agrees(self, scores: Array, previous: Array) -> Array:
        """Whether each row's exit outputs `scores` [B, K] agree with `previous` [B, K], those one layer before."""

    def start(self, rows: int, task: Task) -> State:
        """A count of 0, and previous outputs that are never looked at."""
        return {"count": np.zeros(rows, np.int64), "previous": np.zeros((rows, task.num_outputs), np.float32)}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Count, and leave at `patience`."""
        if layer == 1 and self.compares:
            count = state["count"]
        else:
            count = np.where(self.agrees(scores, state["previous"]), state["count"] + 1, 0)
        return count >= self.patience, {"count": count, "previous": scores}


def patiences(task: Task) -> range:
    """All patience values that can make a row leave early, the largest first."""
    return range(max(task.num_layers - 1, 1), 0, -1)


def taus(largest: float = 1.0, points: int = 40) -> list[float]:
    """Thresholds from 0 (never) to just over `largest` (always), denser near 0 where confident models decide."""
    return [0.0, *(largest * float(tau) for tau in np.geomspace(1e-5, 1.01, points))]
