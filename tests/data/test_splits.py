"""Cuts: partitions, of exact sizes, stratified, seeded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leco.data import Split
from leco.data.splits import cut
from leco.errors import LecoError


def numbered(labels: np.ndarray) -> Split:
    return Split([str(row) for row in range(len(labels))], labels)


counts = st.lists(st.integers(3, 80), min_size=1, max_size=6)


@given(counts, st.integers(0, 2**31), st.data())
def test_a_cut_is_a_stratified_partition(counts: list[int], seed: int, data: st.DataObject) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    total = len(labels)
    size = data.draw(st.integers(1, total - 1))
    parts = cut(numbered(labels), [size], seed)
    assert [len(part) for part in parts] == [size, total - size]
    rows = [[int(text) for text in part.texts] for part in parts]
    assert sorted(rows[0] + rows[1]) == list(range(total))
    for part, numbers in zip(parts, rows, strict=True):
        assert numbers == sorted(numbers)
        np.testing.assert_array_equal(part.labels, labels[numbers])
        shares = np.bincount(part.labels, minlength=len(counts)) - np.array(counts) * len(part) / total
        assert np.abs(shares).max() <= len(counts) + 1


@given(counts, st.integers(0, 2**31))
def test_the_larger_part_of_a_tenth_cut_keeps_every_label(counts: list[int], seed: int) -> None:
    labels = np.repeat(np.arange(len(counts) + 1), [*counts, 60])
    tenth = len(labels) // 10
    assert set(cut(numbered(labels), [tenth, tenth], seed)[2].labels) == set(labels)


def test_the_seed_decides() -> None:
    split = numbered(np.arange(200) % 2)
    assert cut(split, [50], 3)[0].texts == cut(split, [50], 3)[0].texts
    assert cut(split, [50], 3)[0].texts != cut(split, [50], 4)[0].texts


@pytest.mark.parametrize("labels", [np.linspace(0, 1, 50, dtype=np.float32), np.ones((50, 3), dtype=np.float32)])
def test_other_labels_are_cut_at_random(labels: np.ndarray) -> None:
    first, second = cut(numbered(labels), [20], 0)
    assert (len(first), len(second)) == (20, 30)
    assert first.labels.shape[1:] == labels.shape[1:]


def test_two_balanced_labels_are_cut_exactly() -> None:
    parts = cut(numbered(np.arange(1000) % 2), [100, 100], 0)
    assert [part.labels.sum() for part in parts] == [50, 50, 400]


@pytest.mark.parametrize("sizes", [[0], [5], [3, 2]])
def test_an_empty_part_is_an_error(sizes: list[int]) -> None:
    with pytest.raises(LecoError, match="5 rows are too few"):
        cut(numbered(np.zeros(5, dtype=np.int64)), sizes, 0)


def test_take_keeps_groups_in_step() -> None:
    split = Split(["a", "b", "c"], np.array([0, 1, 2]), np.array([7, 8, 9]))
    taken = split.take([2, 0])
    assert taken.texts == ["c", "a"]
    assert taken.groups is not None
    assert (taken.labels.tolist(), taken.groups.tolist()) == ([2, 0], [9, 7])
