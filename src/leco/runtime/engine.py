"""The early-exiting loop: one for every runtime that can run a model layer by layer.

It decides with a criterion after each layer and lets the rows that leave go, so that they cost nothing more.
Nothing here knows of PyTorch. Shapes: B rows of a batch, N texts, K outputs, M layers; layers are counted from 1,
and layer 0 is the embeddings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Criterion, Task, select
from leco.tokens import Encoding

Array = NDArray[Any]
Batch = TypeVar("Batch")


class Stages(Protocol[Batch]):
    """A multi-exit model, cut where the loop needs it. `Batch` is whatever the model keeps of the rows inside."""

    task: Task

    def start(self, encodings: Sequence[Encoding]) -> Batch:
        """Embed a batch of texts."""

    def advance(self, layer: int, batch: Batch) -> Batch:
        """Run one layer of the backbone."""

    def scores(self, layer: int, batch: Batch) -> Array:
        """The scores [B, K] of the exit on `layer`: probabilities, or values where the task is a regression."""

    def observe(self, what: str, layer: int, batch: Batch) -> Array:
        """What else (`leco.criteria.Observed`) there is of the exit on `layer`, [B, ..], after its scores."""

    def keep(self, batch: Batch, rows: Array) -> Batch:
        """The batch with only the given rows (indices [b]) in it."""


@dataclass(frozen=True)
class Decisions:
    """The `scores` [N, K] with which texts left, and the `exit_layers` [N], up to M, at which they did."""

    scores: Array
    exit_layers: Array


def decide_batch(stages: Stages[Batch], encodings: Sequence[Encoding], criterion: Criterion) -> Decisions:
    """Run one batch until all its rows have left; after the last layer the last exit answers."""
    task = stages.task
    rows = np.arange(len(encodings))  # which text each row inside is
    scores = np.empty((len(rows), task.num_outputs), np.float32)
    exit_layers = np.full(len(rows), task.num_layers)
    state = criterion.start(len(rows), task)
    batch = stages.start(encodings)
    for layer in range(task.num_layers + 1):
        batch = stages.advance(layer, batch) if layer else batch
        last = layer == task.num_layers
        if layer not in task.exit_layers or not (last or criterion.uses(layer)):
            continue
        current = stages.scores(layer, batch)
        if last:
            scores[rows] = current
            break
        observed = current if criterion.observes is None else stages.observe(criterion.observes, layer, batch)
        leaves, state = criterion.step(layer, observed, state)
        if leaves.any():
            scores[rows[leaves]] = current[leaves]
            exit_layers[rows[leaves]] = layer
            stay = np.flatnonzero(~leaves)
            if not len(stay):
                break
            rows, state, batch = rows[stay], select(state, stay), stages.keep(batch, stay)
    return Decisions(scores, exit_layers)


def batches_by_length(encodings: Sequence[Encoding], batch_size: int) -> Iterator[Array]:
    """Indices of texts of similar length, at most `batch_size` at a time, the longest first."""
    order = np.argsort([-len(encoding["input_ids"]) for encoding in encodings], kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def in_batches(
    run: Callable[[list[Encoding]], Decisions],
    encodings: Sequence[Encoding],
    num_outputs: int,
    *,
    batch_size: int = 1,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> Decisions:
    """What `run` decides of all texts, batch by batch of similar length, in the order given: [N, K] and [N].

    Args:
        run: decides of a batch of `batch_size` texts at most.
        encodings: the N tokenized texts.
        num_outputs: K.
        batch_size: the most texts of a batch.
        on_batch: is told the number of rows that each batch had.

    >>> encodings = [{"input_ids": [1, 2]}, {"input_ids": [1, 2, 3]}]
    >>> def run(batch):  # says the lengths
    ...     return Decisions(np.array([[len(one["input_ids"])] for one in batch]), np.ones(len(batch)))
    >>> in_batches(run, encodings, num_outputs=1).scores[:, 0]
    array([2., 3.], dtype=float32)

    """
    scores = np.empty((len(encodings), num_outputs), np.float32)
    exit_layers = np.empty(len(encodings), np.int64)
    for rows in batches_by_length(encodings, batch_size):
        decisions = run([encodings[row] for row in rows])
        scores[rows], exit_layers[rows] = decisions.scores, decisions.exit_layers
        on_batch(len(rows))
    return Decisions(scores, exit_layers)


def decide(
    stages: Stages[Batch],
    encodings: Sequence[Encoding],
    criterion: Criterion,
    *,
    batch_size: int = 1,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> Decisions:
    """Run all texts in batches of similar length, each until it leaves; the results are in the order given.

    They are those of batch size 1, since no row's way depends on another's.

    Args:
        stages: the model, cut layer by layer.
        encodings: the N tokenized texts.
        criterion: decides after each layer that has an exit. LecoError where it is not defined for the model's task.
        batch_size: the most texts of a batch.
        on_batch: is told the number of rows that each batch had.

    """

    def run(batch: list[Encoding]) -> Decisions:
        return decide_batch(stages, batch, criterion)

    return in_batches(run, encodings, stages.task.num_outputs, batch_size=batch_size, on_batch=on_batch)
