"""Metrics against scikit-learn, SciPy and loops."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from leco.data import METRICS, Split, TextData, metrics_of, predictions_of, score, with_metric
from leco.errors import LecoError
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL

rng = np.random.default_rng(0)


@pytest.mark.parametrize("num_labels", [2, 3, 7])
def test_single_label(num_labels: int) -> None:
    truth, answer = rng.integers(0, num_labels, (2, 200))
    assert score("accuracy", truth, answer) == pytest.approx(
        sum(map(int.__eq__, truth.tolist(), answer.tolist())) / 200
    )
    assert score("matthews", truth, answer) == pytest.approx(sk.matthews_corrcoef(truth, answer))


def test_accuracy_f1() -> None:
    truth, answer = rng.integers(0, 2, (2, 200))
    expected = (sk.accuracy_score(truth, answer) + sk.f1_score(truth, answer)) / 2
    assert score("accuracy_f1", truth, answer) == pytest.approx(expected)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_pearson_spearman(decimals: int) -> None:
    truth = rng.normal(size=100).round(decimals)
    answer = (truth + rng.normal(size=100)).round(decimals)
    expected = (stats.pearsonr(truth, answer)[0] + stats.spearmanr(truth, answer)[0]) / 2
    assert score("pearson_spearman", truth, answer) == pytest.approx(expected)


@pytest.mark.parametrize("num_labels", [2, 4])
def test_f1_macro(num_labels: int) -> None:
    truth, answer = rng.integers(0, num_labels, (2, 200))
    by_label = [
        2 * ((truth == k) & (answer == k)).sum() / ((truth == k).sum() + (answer == k).sum()) for k in range(num_labels)
    ]
    assert score("macro-f1", truth, answer) == score("f1_macro", truth, answer) == pytest.approx(np.mean(by_label))
    if num_labels == 2:
        assert score("f1", truth, answer) == pytest.approx(by_label[1])


@pytest.mark.parametrize(("metric", "error"), [("rmse", sk.root_mean_squared_error), ("mae", sk.mean_absolute_error)])
def test_an_error_is_lowest_where_its_score_is_highest(metric: str, error: Any) -> None:
    truth = rng.normal(300_000, 100_000, 50)
    answers = [truth * 0 + 1.25, *(truth + rng.normal(0, 10.0**size, 50) for size in range(7))]
    by_score = sorted(answers, key=lambda answer: score(metric, truth, answer))
    assert [id(one) for one in by_score] == [id(one) for one in sorted(answers, key=lambda one: -error(truth, one))]
    assert METRICS.name(metric) in ("r2", "d2_absolute_error")
    assert score(metric, np.full(3, 7.0), np.zeros(3)) == score(metric, np.ones(1), np.ones(1)) == 0.0


def test_a_metric_is_defined_for_some_kinds_of_problems_only() -> None:
    split = Split(["a"] * 4, np.array([0, 1, 2, 0]))
    data = TextData("some", split, split, split, ("a", "b", "c"), SINGLE_LABEL, "accuracy", pair=False)
    assert with_metric(data, None) is data
    assert with_metric(data, "macro-f1").metric == "f1_macro"
    for metric in ("f1", "rmse", "f1_micro", "accuracy-f1"):
        with pytest.raises(
            LecoError, match=r"metric: .* is not defined for a single_label.* Known: accuracy, f1_macro"
        ):
            with_metric(data, metric)
    with pytest.raises(LecoError, match="metric: Unknown metric 'f2'"):
        with_metric(data, "f2")
    for problem in PROBLEMS.values():
        assert set(metrics_of(problem, 2)) <= set(METRICS)


def test_f1_micro() -> None:
    truth, answer = rng.integers(0, 2, (2, 50, 6))
    assert score("f1_micro", truth.astype(np.float32), answer) == pytest.approx(
        sk.f1_score(truth, answer, average="micro")
    )


@pytest.mark.parametrize("metric", ["f1_micro", "f1_macro"])
def test_f1_of_a_single_column_is_that_of_its_ones(metric: str) -> None:
    truth, answer = rng.integers(0, 2, (2, 50, 1))
    expected = sk.f1_score(truth[:, 0], answer[:, 0])
    assert score(metric, truth.astype(np.float32), answer) == pytest.approx(expected)
    assert score(metric, np.zeros((3, 1), np.float32), np.zeros((3, 1), np.int64)) == 0.0


def test_groups_are_averaged() -> None:
    assert score("accuracy", [0, 0, 0, 1], [0, 0, 0, 0], groups=["a", "a", "a", "b"]) == 0.5
    assert score("accuracy", [0, 0, 0, 1], [0, 0, 0, 0]) == 0.75


@pytest.mark.parametrize("metric", ["matthews", "pearson_spearman"])
def test_constant_predictions_score_zero(metric: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert score(metric, [0, 1, 1], [1, 1, 1]) == 0.0
        assert score(metric, [1, 1, 1], [0, 1, 1]) == 0.0
        assert score("f1_micro", np.zeros((2, 3)), np.zeros((2, 3))) == 0.0
        assert score("accuracy_f1", [0, 0], [0, 0]) == 0.5


@pytest.mark.parametrize("metric", METRICS)
def test_right_predictions_score_one(metric: str) -> None:
    assert score(metric, [0, 1, 1, 0], [0, 1, 1, 0]) == pytest.approx(1)


def test_wrong_use_is_an_error() -> None:
    with pytest.raises(LecoError, match="Did you mean 'accuracy'"):
        score("acuracy", [0], [0])
    with pytest.raises(ValueError, match="one shape"):
        score("accuracy", [0, 1], [[0, 1]])
    with pytest.raises(ValueError, match="rows"):
        score("accuracy", [], [])


def test_predictions_of_any_leading_shape() -> None:
    scores = rng.random(size=(4, 5, 3))
    assert PROBLEMS[SINGLE_LABEL].predictions(scores)[1, 2] == scores[1, 2].argmax()
    assert PROBLEMS[REGRESSION].predictions(scores[..., :1]).shape == (4, 5)
    many = PROBLEMS[MULTI_LABEL].predictions(scores)
    np.testing.assert_array_equal(many, scores > 0.5)
    assert many.dtype == np.int64


def test_the_former_name_of_predictions_warns() -> None:
    scores = rng.random(size=(4, 5, 3))
    with pytest.warns(DeprecationWarning, match=r"is now leco\.problems"):
        found = predictions_of(SINGLE_LABEL, scores.tolist())
    np.testing.assert_array_equal(found, scores.argmax(-1))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.filterwarnings("ignore:A single label")
def test_a_single_row_has_a_score(metric: str) -> None:
    assert 0 <= score(metric, np.array([1.0]), np.array([1.0])) <= 1
