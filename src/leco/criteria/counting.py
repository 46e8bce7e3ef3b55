"""Criteria that count agreements in a row and leave when the count reaches the patience."""

from abc import abstractmethod
from typing import Any

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task, same_for
from leco.options import option
from leco.problems import Problem


def patience_option(default: int = 1) -> Any:
    """The setting that every counting criterion has."""
    return option(default, "Agreements in a row that are needed to leave; a whole number from 1.", minimum=1)


class Counting(Criterion):
    """`cnt_m = cnt_{m-1} + 1` where exit m agrees, else 0; leave when `cnt_m` reaches the patience t (LECO, eq. 7).

    t is the field `patience`, which subclasses define, where they like, with `patience_option`.
    """

    patience: int

    @abstractmethod
    def agrees(self, layer: int, scores: Array, state: State) -> Array:
        """Whether the exit on `layer`, whose outputs are `scores` [B, K], agrees (bool [B]), given the state before."""

    def start(self, rows: int, task: Task) -> State:
        """A count of 0."""
        return {**super().start(rows, task), "count": np.zeros(rows, np.int64)}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Count, and leave at `patience`."""
        count = np.where(self.agrees(layer, scores, state), state["count"] + 1, 0)
        return count >= self.patience, {**state, "count": count}


class Comparing(Counting):
    """Counting where each exit is held against the one before: none leaves before exit t + 1.

    The first has none before it: counting from -1, it counts 0, whatever it is found to be similar to.
    """

    @abstractmethod
    def similar(self, scores: Array, previous: Array, problem: Problem) -> Array:
        """Whether an exit's outputs `scores` [B, K] agree with those of the exit before, `previous` [B, K]."""

    def start(self, rows: int, task: Task) -> State:
        """A count of -1, previous outputs that do not matter, and the kind of problem."""
        previous = np.zeros((rows, task.num_outputs), np.float32)
        count = np.full(rows, -1, np.int64)
        state = {**super().start(rows, task), "previous": previous, "problem": same_for(rows, task.problem)}
        return {**state, "count": count}

    def agrees(self, layer: int, scores: Array, state: State) -> Array:
        """Compare with the exit before."""
        return self.similar(scores, state["previous"], state["problem"][0])

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Count, and keep the outputs for the next layer."""
        leaves, state = super().step(layer, scores, state)
        return leaves, {**state, "previous": scores}
