"""Metrics against scikit-learn, SciPy and loops."""

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from leco.data import METRICS, predictions_of, score
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


def test_f1_micro() -> None:
    truth, answer = rng.integers(0, 2, (2, 50, 6))
    assert score("f1_micro", truth.astype(np.float32), answer) == pytest.approx(
        sk.f1_score(truth, answer, average="micro")
    )


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
