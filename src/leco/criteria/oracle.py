"""The bound that no criterion can pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task, same_for
from leco.errors import LecoError
from leco.problems import MULTI_LABEL, SINGLE_LABEL


@dataclass(frozen=True)
class Oracle(Criterion):
    """Leave at the first layer that is right, and at the last one where none is: for analysis only.

    `argmax p_m = y`; where a text may have many labels, `[p_m(k) > 1/2] = y(k)` for all k. `p_m` [B, K] are the
    scores of exit m, `labels` is y: one number [N], or 0 and 1 [N, K], in the order of the rows. The labels are
    data, not a setting, so they are neither written nor compared.

    No criterion answers more rows rightly, and one that answers as many leaves no such row earlier. For a
    regression, where no answer is simply right, it is not defined.

    Raises LecoError (in `start`) where there is not one label for each row.

    Source: the usual bound in studies of early exiting; no one paper's.

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.6, 0.4]] * 2, [[0.2, 0.8]] * 2, [[0.1, 0.9]] * 2])  # [M, N, K]
    >>> simulate(Oracle(labels=[1, 0]), exits, Task(num_outputs=2, num_layers=3))
    array([2, 1])
    """

    name: ClassVar[str] = "oracle"
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL, MULTI_LABEL})
    deployable: ClassVar[bool] = False

    labels: Any = field(default=(), repr=False, compare=False)

    def start(self, rows: int, task: Task) -> State:
        """The labels, one for each row, and the kind of problem; LecoError where there are others than rows."""
        state = super().start(rows, task)
        labels = np.asarray(self.labels)
        expected = (rows, *task.problem.label_shape(task.num_outputs))
        if labels.shape != expected:
            raise LecoError(
                f"The exit criterion '{self.name}' needs the labels of all rows, of shape {expected}, not "
                f"{labels.shape}. It is for analysis over stored outputs: give it their labels, in the same order."
            )
        return {**state, "labels": labels, "problem": same_for(rows, task.problem)}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Leave where the answer is right."""
        return state["problem"][0].right(scores, state["labels"]), state

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Oracle"]:
        """It has no settings and needs labels, so there is nothing to sweep."""
        return []
