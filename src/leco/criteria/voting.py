"""Voting over the exits so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from leco.criteria.base import Array, Criterion, State, Task
from leco.options import option


@dataclass(frozen=True)
class Voting(Criterion):
    """Leave when enough of the exits so far vote for one label.

    `max_c V_m(c) / m^rho >= tau`, where `V_m(c)` counts those of the exits 1 .. m whose `argmax p` is c.
    `p_m` [B, K] are the scores of the m-th exit. With `rho` 0 it asks for `tau` votes, with 1 for a share of the votes,
    which is 1 at exit 1. Since the ratio is at most `m^(1 - rho)`, no row leaves before exit
    `tau^(1 / (1 - rho))`, and with a tau up to 1 all leave at exit 1.

    This is our reading of a summary of the paper, not checked against its text. The paper also answers with the
    label of most votes; here, as with every criterion, the exit at which a row leaves answers.

    Source: Early Exiting with Ensemble Internal Classifiers (Sun et al. 2021, 2105.13792).

    >>> import numpy as np
    >>> from leco.criteria import Task, simulate
    >>> exits = np.array([[[0.6, 0.4]], [[0.2, 0.8]], [[0.4, 0.6]], [[0.1, 0.9]], [[0.1, 0.9]]])  # [M, N, K]
    >>> simulate(Voting(tau=1.5, rho=0.5), exits, Task(num_outputs=2, num_layers=5))  # 3 of 4: 3 / 2
    array([4])
    """

    name: ClassVar[str] = "voting"

    tau: float = option(1.5, "Votes for one label, divided by exits^rho, from which on a row leaves.", above=0)
    rho: float = option(0.5, "How much the number of exits weighs, from 0 (not at all) to 1.", minimum=0, maximum=1)

    def start(self, rows: int, task: Task) -> State:
        """No votes."""
        return {**super().start(rows, task), "votes": np.zeros((rows, task.num_outputs), np.int64)}

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Count one more vote, and compare with the threshold."""
        votes = state["votes"].copy()
        votes[np.arange(len(scores)), scores.argmax(-1)] += 1
        exits = votes.sum(-1).astype(np.float64)  # as many votes as exits
        share = votes.max(-1) / exits ** np.float32(self.rho)
        return share.astype(np.float32) >= np.float32(self.tau), {"votes": votes}  # as in any runtime

    @classmethod
    def sweep(cls, task: Task) -> Sequence["Voting"]:
        """All values that the ratio can have, from that of E equal votes down to 1, for the default `rho`."""
        numbers = range(1, task.num_exits + 1)
        ratios = {votes / exits**cls.rho for exits in numbers for votes in range(1, exits + 1)}
        return [cls(tau) for tau in sorted(ratios, reverse=True) if tau >= 1]
