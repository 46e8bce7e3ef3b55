"""Batches of rows of similar length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leco.data import LengthGroupedBatches, TextDataset


@given(
    lengths=st.lists(st.integers(1, 60), max_size=150),
    batch_size=st.integers(1, 40),
    seed=st.integers(0, 2**31),
    epoch=st.integers(0, 100),
    run=st.integers(1, 5),
)
def test_every_row_once_an_epoch_and_the_same_again(
    lengths: list[int], batch_size: int, seed: int, epoch: int, run: int
) -> None:
    sampler = LengthGroupedBatches(lengths, batch_size, seed, run)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert len(batches) == len(sampler)
    assert sum(len(batch) < batch_size for batch in batches) <= 1
    resumed = LengthGroupedBatches(lengths, batch_size, seed, run)
    resumed.set_epoch(epoch)
    assert list(resumed) == batches


def test_epochs_and_seeds_differ() -> None:
    first = LengthGroupedBatches(range(100), 8, seed=0)
    other = LengthGroupedBatches(range(100), 8, seed=1)
    zero = list(first)
    assert zero == list(first)
    assert zero != list(other)
    first.set_epoch(1)
    assert zero != list(first)


@given(rows=st.integers(1, 60), batch_size=st.integers(1, 20), shares=st.integers(1, 6))
def test_shares_have_every_row_of_a_batch_once_and_none_is_empty(rows: int, batch_size: int, shares: int) -> None:
    whole = list(LengthGroupedBatches(range(rows), batch_size, seed=0))
    dealt = [
        list(LengthGroupedBatches(range(rows), batch_size, 0, share=share, shares=shares)) for share in range(shares)
    ]
    for batch, *parts in zip(whole, *dealt):
        if len(batch) < shares:
            assert parts == [batch] * shares
        else:
            assert sorted(row for part in parts for row in part) == sorted(batch)
            assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_there_is_little_padding() -> None:
    lengths = np.random.default_rng(0).integers(5, 128, 3000)
    cells = sum(len(batch) * lengths[batch].max() for batch in LengthGroupedBatches(lengths, 16, seed=0))
    assert cells / lengths.sum() < 1.1


def test_equally_long_rows_are_still_shuffled() -> None:
    first, *_ = LengthGroupedBatches([7] * 64, 8, seed=0)
    assert first != sorted(first)


def test_dataset_rows() -> None:
    encodings = [{"input_ids": [1, 2, 3], "attention_mask": [1, 1, 1]}, {"input_ids": [4], "attention_mask": [1]}]
    dataset = TextDataset(encodings, np.array([1, 0]))
    assert len(dataset) == 2
    assert dataset.lengths == [3, 1]
    assert dataset[0] == {"input_ids": [1, 2, 3], "attention_mask": [1, 1, 1], "labels": 1}
    with pytest.raises(ValueError, match="equally many"):
        TextDataset(encodings, np.array([1]))
