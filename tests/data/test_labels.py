"""Labels learned from the training rows."""

import numpy as np
import pytest

from leco.data.labels import learn_labels
from leco.data.tables import Table
from leco.errors import LecoError
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL


def table(values: list[object], **classes: tuple[str, ...]) -> Table:
    return Table("x.csv", {"label": values}, list(range(2, 2 + len(values))), "line", classes)


@pytest.mark.parametrize(
    ("values", "names", "encoded"),
    [
        (["pos", "neg", " pos"], ("neg", "pos"), [1, 0, 1]),
        (["10", "9", "-1"], ("-1", "9", "10"), [2, 1, 0]),
        ([2, 0, 1], ("0", "1", "2"), [2, 0, 1]),
        ([True, False], ("False", "True"), [1, 0]),
        (["1", "x"], ("1", "x"), [0, 1]),
    ],
)
def test_single_labels(values: list[object], names: tuple[str, ...], encoded: list[int]) -> None:
    labels = learn_labels(table(values), "label")
    assert (labels.problem_type, labels.names) == (SINGLE_LABEL, names)
    numbers = labels.encode(table(values))
    assert numbers.tolist() == encoded
    assert numbers.dtype == np.int64


@pytest.mark.parametrize("values", [["1.5", "2", "-1e3"], [1.5, 2, -1000.0]])
def test_numbers_with_decimals_are_a_regression(values: list[object]) -> None:
    labels = learn_labels(table(values), "label")
    assert (labels.problem_type, labels.names) == (REGRESSION, ())
    numbers = labels.encode(table(values))
    assert numbers.tolist() == [1.5, 2, -1000]
    assert numbers.dtype == np.float32


def test_lists_are_many_labels() -> None:
    values: list[object] = [["joy", "awe"], [], ["fear"]]
    labels = learn_labels(table(values), "label")
    assert (labels.problem_type, labels.names) == (MULTI_LABEL, ("awe", "fear", "joy"))
    numbers = labels.encode(table(values))
    assert numbers.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert numbers.dtype == np.float32


def test_a_list_of_names_is_kept() -> None:
    labels = learn_labels(table(["b", "a"], label=("c", "b", "a")), "label")
    assert labels.names == ("c", "b", "a")
    assert labels.encode(table(["c"])).tolist() == [0]


@pytest.mark.parametrize("values", [["a", "a"], [1, "1"], [1.5, 1.5], [["a"], []], [[], []]])
def test_one_label_only(values: list[object]) -> None:
    with pytest.raises(LecoError, match=r"The column 'label' of 'x.csv' has only (one|no) label"):
        learn_labels(table(values), "label")


@pytest.mark.parametrize("value", [None, "", float("nan"), "NaN"])
def test_missing_labels(value: object) -> None:
    with pytest.raises(LecoError, match=r"'x.csv', line 3, column 'label': the label is missing"):
        learn_labels(table(["a", value, "b"]), "label")


@pytest.mark.parametrize(
    ("train", "value", "message"),
    [
        (["a", "b"], "c", "the training rows have no label 'c', only a, b"),
        ([["a"], ["b"]], ["c"], "no label 'c'"),
        ([["a"], ["b"]], "a", "'a' is not a list"),
        (["a", "b"], ["a"], "is not one label"),
        ([0.5, 1.5], "high", "'high' is not a number"),
        ([0.5, 1.5], "inf", "'inf' is not a number"),
    ],
)
def test_labels_that_training_rows_do_not_know(train: list[object], value: object, message: str) -> None:
    labels = learn_labels(table(train), "label")
    with pytest.raises(LecoError, match=f"'x.csv', line 2, column 'label': .*{message}"):
        labels.encode(table([value]))
