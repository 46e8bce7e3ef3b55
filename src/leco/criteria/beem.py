"""BEEM, the confidence of exits that agree, added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.criteria.grids import falling
from leco.options import option


@dataclass(frozen=True)
class Beem(Criterion):
    """Leave when the exits that agree in a row are sure enough together.

    `S_m = S_{m-1} + max p_m` where `argmax p_m = argmax p_{m-1}`, and else `S_m = max p_m`; leave when `S_m >= alpha`.
    `p_m` [B, K] are the scores of exit m. Since `1 / K <= max p <= 1`, no row leaves before exit `alpha`, and with an
    alpha up to 1 / K all leave at exit 1.

    This is our reading of the paper's abstract; there the confidence of an exit may also be multiplied by a weight of
    that exit, and here all weigh the same.

    Source: BEEM (Bajpai and Hanawal, ICLR 2025).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.4, 0.6]], [[0.2, 0.8]], [[0.7, 0.3]], [[0.9, 0.1]], [[0.9, 0.1]]])  # [M, N, K]
    >>> simulate(Beem(alpha=1.5), exits, Task(num_outputs=2, num_layers=5))  # 0.6, 1.4, 0.7, 1.6
    array([4])
    """

    name: ClassVar[str] = "beem"

    alpha: float = option(1.5, "Sum of the confidences of agreeing exits from which on a row leaves.", minimum=0)

    def start(self, rows: int, task: Task) -> State:
        """No confidence in any label."""
        return {**super().start(rows, task), "sum": np.zeros(rows, np.float32), "label": np.zeros(rows, np.int64)}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Add the confidence to that in the same label, and compare with the threshold."""
        label = scores.argmax(-1)
        total = np.where(label == state["label"], state["sum"], 0) + scores.max(-1)
        return total >= self.alpha, {"sum": total, "label": label}

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Beem"]:
        """Falling thresholds, from E down to 0, denser below whole numbers, which sure exits nearly reach."""
        below = {round(sure + share, 7) for sure in range(task.num_exits - 1) for share in falling(points=24)}
        return [cls(alpha) for alpha in sorted({float(task.num_exits), *below}, reverse=True)]
