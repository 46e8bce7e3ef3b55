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
        (["nan", "NA", "null"], ("NA", "nan", "null"), [1, 0, 2]),
        (["1e3", "inf", "2e5"], ("1e3", "2e5", "inf"), [0, 2, 1]),
        (["1e3", "2e5"], ("1e3", "2e5"), [0, 1]),
        (["Infinity", "1_000"], ("1_000", "Infinity"), [1, 0]),
        (["true", "False"], ("False", "true"), [1, 0]),
        (["v1.0", "v1.1", "2.0"], ("2.0", "v1.0", "v1.1"), [1, 2, 0]),
        (["[POS]", "[NEG]"], ("[NEG]", "[POS]"), [1, 0]),
        (["Oslo, Norway", "Rome, Italy"], ("Oslo, Norway", "Rome, Italy"), [0, 1]),
    ],
)
def test_single_labels(values: list[object], names: tuple[str, ...], encoded: list[int]) -> None:
    labels = learn_labels(table(values), ["label"])
    assert (labels.problem_type, labels.names) == (SINGLE_LABEL, names)
    numbers = labels.encode(table(values))
    assert numbers.tolist() == encoded
    assert numbers.dtype == np.int64


@pytest.mark.parametrize("values", [["1.5", "2", "-1e3"], [1.5, 2, -1000.0]])
def test_numbers_with_decimals_are_a_regression(values: list[object]) -> None:
    labels = learn_labels(table(values), ["label"])
    assert (labels.problem_type, labels.names) == (REGRESSION, ())
    numbers = labels.encode(table(values))
    assert numbers.tolist() == [1.5, 2, -1000]
    assert numbers.dtype == np.float32


def test_lists_are_many_labels() -> None:
    values: list[object] = [["joy", "awe"], [], ["fear"]]
    labels = learn_labels(table(values), ["label"])
    assert (labels.problem_type, labels.names) == (MULTI_LABEL, ("awe", "fear", "joy"))
    numbers = labels.encode(table(values))
    assert numbers.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert numbers.dtype == np.float32


def test_a_list_of_names_is_kept() -> None:
    labels = learn_labels(table(["b", "a"], label=("c", "b", "a")), ["label"])
    assert labels.names == ("c", "b", "a")
    assert labels.encode(table(["c"])).tolist() == [0]


@pytest.mark.parametrize("values", [["a", "a"], [1, "1"], [1.5, 1.5], [["a"], []], [[], []]])
def test_one_label_only(values: list[object]) -> None:
    with pytest.raises(LecoError, match=r"The column 'label' of 'x.csv' has only (one|no) label"):
        learn_labels(table(values), ["label"])


@pytest.mark.parametrize("value", [None, "", float("nan"), " "])
def test_missing_labels(value: object) -> None:
    with pytest.raises(LecoError, match=r"'x.csv', line 3, column 'label': the label is missing"):
        learn_labels(table(["a", value, "b"]), ["label"])


@pytest.mark.parametrize("values", [["a", "b\ud800"], [["a"], ["a", "b\ud800"]], ["a|b", "a|b\ud800"]])
def test_labels_that_a_model_could_not_keep(values: list[object]) -> None:
    separator = "|" if values[0] == "a|b" else None
    message = r"'x.csv', line 3, column 'label': the label 'b\\ud800' has half a character .* at place 2"
    with pytest.raises(LecoError, match=message):
        learn_labels(table(values), ["label"], separator)
    with pytest.raises(LecoError, match=r"'x.csv', column 'label': the label 'b\\ud800' has half a character"):
        learn_labels(table(["a", "c"], label=("a", "b\ud800", "c")), ["label"])


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
    labels = learn_labels(table(train), ["label"])
    with pytest.raises(LecoError, match=f"'x.csv', line 2, column 'label': .*{message}"):
        labels.encode(table([value]))


MANY = [["joy", "awe"], [], ["awe"]]


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["['joy', 'awe']", "[]", "['awe']"], None),
        (['["joy", "awe"]', "[]", '["awe"]'], None),
        (["('joy', 'awe')", "()", "('awe',)"], None),
        (["joy|awe", "", "awe"], "|"),
        (["joy; awe ", " ", "awe;"], ";"),
        (["joy, awe", None, "awe"], ","),
        ([("joy", "awe"), (), np.array(["awe"])], None),
    ],
)
def test_many_labels_however_they_are_written(values: list[object], separator: str | None) -> None:
    labels = learn_labels(table(values), ["label"], separator)
    assert (labels.problem_type, labels.names) == (MULTI_LABEL, ("awe", "joy"))
    assert labels.encode(table(values)).tolist() == [[1, 1], [0, 0], [1, 0]]


@pytest.mark.parametrize(
    "values",
    [
        [[1, 0, 1], [0, 0, 1]],
        [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]],
        [[True, False, True], [False, False, True]],
        [np.array([1, 0, 1]), np.array([0, 0, 1])],
        ["[1, 0, 1]", "[0, 0, 1]"],
        ["[1.0, 0.0, 1.0]", "[0.0, 0.0, 1.0]"],
        [["1", "0", "1"], ["0", "0", "1"]],
    ],
)
def test_a_flag_for_each_label_is_no_label_0_or_1(values: list[object]) -> None:
    labels = learn_labels(table(values), ["label"])
    assert (labels.problem_type, labels.names) == (MULTI_LABEL, ("label_0", "label_1", "label_2"))
    assert labels.encode(table(values)).tolist() == [[1, 0, 1], [0, 0, 1]]
    assert labels.encode(table([values[0]])).tolist() == [[1, 0, 1]], "a test file may have one row"


def test_lists_of_numbers_that_are_no_flags_are_names() -> None:
    labels = learn_labels(table([[0], [1], [0, 1], [2]]), ["label"])
    assert labels.names == ("0", "1", "2")
    assert labels.encode(table([[0, 1, 2], [1, 0]])).tolist() == [[1, 1, 1], [1, 1, 0]]


def test_several_columns_of_0_and_1_are_many_labels() -> None:
    columns = {"a": ["1", "0", "true"], "b": [1, 0.0, False], "c": [True, False, True]}
    flags = Table("x.csv", columns, [2, 3, 4], "line")
    labels = learn_labels(flags, ["a", "c", "b"])
    assert (labels.problem_type, labels.names) == (MULTI_LABEL, ("a", "c", "b"))
    assert labels.encode(flags).tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 0]]
    for cell, message in ((2, "2 is neither 0 nor 1"), (None, "the label is missing"), ("x", "'x' is neither")):
        with pytest.raises(LecoError, match=f"line 3, column 'b': {message}"):
            labels.encode(Table("x.csv", {**columns, "b": [0, cell, 1]}, [2, 3, 4], "line"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a|b", "a"], r"has '\|' within its labels.* label_separator '\|', else task classification"),
        (["a;b", "c"], "has ';' within its labels"),
        (["joy, awe", "joy", "fear"], "has ',' within its labels"),
        (["2,27", "27"], "has ',' within its labels"),
        (["['a' 'b']", "['a']"], "line 2, column 'label': is .* a label, or a list"),
        (["[1 0 1]", "[0 0 1]"], "a label, or a list of labels"),
        (["['a', 'b']", "a"], "line 3.* is a a label, or a list"),
        ([[0], [1]], "lists of one number, 0 or 1"),
        ([[1, 0, 1], [1, 1]], "line 3.* it has 2 flags, but the first row has 3"),
        (["1.0", "2.0"], "whole numbers that are written as 1.0. Say with task"),
        ([1.0, 2.0, 3.0], "whole numbers that are written as 1.0"),
        (list(range(100_000, 100_050)), "has 50 different numbers in 50 rows. Say with task"),
        (["1.5", "2.5", "NA"], "line 4, column 'label': 'NA' is not a number, but most labels are"),
    ],
)
def test_what_may_be_meant_in_two_ways_is_asked_for(values: list[object], message: str) -> None:
    with pytest.raises(LecoError, match=message):
        learn_labels(table(values), ["label"])


@pytest.mark.parametrize(
    ("values", "task", "kind", "names"),
    [
        (["1.0", "2.0"], "classification", SINGLE_LABEL, ("1.0", "2.0")),
        ([1.0, 2.0], "classification", SINGLE_LABEL, ("1", "2")),
        (["1.5", "2.5"], "classification", SINGLE_LABEL, ("1.5", "2.5")),
        (["a|b", "a"], "classification", SINGLE_LABEL, ("a", "a|b")),
        (["['a', 'b']", "['a']"], "classification", SINGLE_LABEL, ("['a', 'b']", "['a']")),
        (["1", "2", "1e3"], "regression", REGRESSION, ()),
        (list(range(50)), "regression", REGRESSION, ()),
        (["['a', 'b']", "['a']"], "multi-label", MULTI_LABEL, ("a", "b")),
    ],
)
def test_the_task_overrides_every_guess(values: list[object], task: str, kind: str, names: tuple[str, ...]) -> None:
    labels = learn_labels(table(values), ["label"], task=task)
    assert (labels.problem_type, labels.names) == (kind, names)
    assert len(labels.encode(table(values))) == len(values)


@pytest.mark.parametrize(
    ("values", "task", "separator", "message"),
    [
        (["a", "b"], "regression", None, "'a' is not a number"),
        (["nan", "1"], "regression", None, "'nan' is not a number"),
        (["a", "b"], "multi-label", None, "'a' is not a list .*label_separator"),
        ([["a"], ["b"]], "classification", None, "is not one label"),
        (["a|b", "b"], "classification", "|", "label_separator stands between many labels"),
    ],
)
def test_labels_that_are_not_what_the_task_says(
    values: list[object], task: str, separator: str | None, message: str
) -> None:
    with pytest.raises(LecoError, match=message):
        learn_labels(table(values), ["label"], separator, task).encode(table(values))


def test_a_name_that_often_stands_for_no_label_is_said() -> None:
    lines: list[str] = []
    learn_labels(table(["a", "NA", "b"]), ["label"], log=lines.append)
    assert lines == ["'NA' in 'label' is a label like others: remove the rows where it stands for none."]
