"""The decision by all exits so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.criteria.grids import falling
from leco.criteria.information import SMALLEST
from leco.options import option


@dataclass(frozen=True)
class Ensemble(Criterion):
    """Leave when the exits so far, as an ensemble, are sure of a label.

    `max_k q_m(k) > tau` with `q_m(k) = prod_{j<=m} p_j(k)^(1/m) / Z`, the geometric mean of the exits 1 .. m, where Z
    makes it a distribution. `p_m` [B, K] are the scores of exit m. The earliest exit is the first, where q is p.

    This is our reading of the paper's abstract. There each exit also sees what the one below it says, the ensemble
    weighs exits and classes by what it has learned, and it answers; here all weigh the same and, as with every
    criterion, the exit at which a row leaves answers.

    Source: Zero Time Waste (Wolczyk et al., NeurIPS 2021, 2106.05409).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.2, 0.8]], [[0.8, 0.2]], [[0.05, 0.95]], [[0.02, 0.98]]])  # [M, N, K]
    >>> simulate(Ensemble(tau=0.85), exits, Task(num_outputs=2, num_layers=4))  # 0.8, 0.5, 0.73, then 0.86
    array([4])
    """

    name: ClassVar[str] = "ensemble"

    tau: float = option(0.9, "Probability of the mean above which a row leaves, 0 to 1.", minimum=0, maximum=1)

    def start(self, rows: int, task: Task) -> State:
        """No exits yet."""
        logs = np.zeros((rows, task.num_outputs), np.float32)
        return {**super().start(rows, task), "logs": logs, "exits": np.zeros((rows, 1), np.int64)}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Multiply one more exit in, as a sum of logarithms, and compare the largest probability with the threshold."""
        logs = state["logs"] + np.log(np.clip(scores, SMALLEST, 1))
        exits = state["exits"] + 1
        odds = np.exp((logs - logs.max(-1, keepdims=True)) / exits.astype(np.float32))  # against the likeliest label
        return 1 / odds.sum(-1) > self.tau, {"logs": logs, "exits": exits}

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Ensemble"]:
        """Falling thresholds, from 1 to just below 1 / K, which every largest probability reaches."""
        return [cls(tau) for tau in falling(1 - 1 / task.num_outputs)]
