"""Rows for training: a data set of tokens and labels, and batches of rows of similar length."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from torch.utils.data import Dataset, Sampler

from leco.data.types import Array
from leco.tokens import Encoding


class TextDataset(Dataset[dict[str, Any]]):
    """N rows for a data loader: the lists of an encoding, and under "labels" its label, of shape [] or [K].

    `encodings` [N] are tokenized texts, `labels` are [N] or [N, K].

    >>> TextDataset([{"input_ids": [2, 7, 3]}], np.array([1])).lengths
    [3]
    """

    def __init__(self, encodings: Sequence[Encoding], labels: Array) -> None:
        """Both of N rows; ValueError if they are not."""
        if len(encodings) != len(labels):
            raise ValueError(f"{len(encodings)} encodings and {len(labels)} labels must be equally many")
        self.encodings = encodings
        self.labels = labels

    def __len__(self) -> int:
        return len(self.encodings)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {**self.encodings[row], "labels": self.labels[row]}

    @property
    def lengths(self) -> list[int]:
        """The number of tokens [N] of each row."""
        return [len(encoding["input_ids"]) for encoding in self.encodings]


class LengthGroupedBatches(Sampler[list[int]]):
    """A batch sampler: batches of row indices, in which every row occurs once an epoch, with little padding.

    The rows are shuffled, sorted by length within runs of `run` batches, and cut into batches, which are shuffled.
    The batches depend on `lengths`, `batch_size`, `seed` and the epoch only, so that a resumed epoch has the same.
    With `shares` each batch is cut into so many, and what comes is the one of the number `share`, from 0.
    """

    def __init__(
        self, lengths: Sequence[int], batch_size: int, seed: int, run: int = 50, *, share: int = 0, shares: int = 1
    ) -> None:
        """`lengths` are the numbers of tokens [N]; the last batch of an epoch's cut may be smaller than the others."""
        self.lengths = np.asarray(lengths)
        self.share, self.shares = share, shares
        self.batch_size = batch_size
        self.seed = seed
        self.run = run
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0, whose batches come next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return ceil(len(self.lengths) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng((self.seed, self.epoch))
        position = rng.permutation(len(self.lengths)) // (self.batch_size * self.run)
        order = np.lexsort((rng.random(len(self.lengths)), self.lengths, position))
        batches = [order[start : start + self.batch_size].tolist() for start in range(0, len(order), self.batch_size)]
        return iter([share_of(batches[index], self.share, self.shares) for index in rng.permutation(len(batches))])


def share_of(batch: list[int], share: int, shares: int) -> list[int]:
    """The rows of one of so many shares of a batch, sorted by length, whose numbers differ by one at most.

    A batch of fewer rows than shares is all in each of them: the mean over the rows is the same, and none is empty.

    >>> share_of([3, 1, 4, 5, 9], 0, 2), share_of([3, 1, 4, 5, 9], 1, 2)
    ([3, 4, 9], [1, 5])
    """
    return batch if len(batch) < shares else batch[share::shares]
