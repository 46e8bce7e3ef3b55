"""What is reported of each label, against loops."""

import numpy as np
import pytest

from leco.data import Split
from leco.evaluation.detail import MOST_LABELS, detail
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL

rng = np.random.default_rng(0)
NAMES = ["a", "b", "c", "never"]


def split(labels):
    return Split(["text"] * len(labels), labels)


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL])
def test_labels_and_their_confusion(problem_type):
    problem, scores = PROBLEMS[problem_type], rng.random((50, 4)) * [1, 1, 1, 0.4]
    single = problem.has_classes
    labels = rng.integers(0, 3, 50) if single else (rng.random((50, 4)) < [0.3, 0.5, 0.7, 0]).astype(np.float32)
    found = detail(problem, split(labels), scores, NAMES)
    given = problem.predictions(scores)
    truth, said = (np.eye(4)[some] if single else some for some in (labels, given))
    for k, name in enumerate(NAMES):
        both, has, gets = (truth[:, k] * said[:, k]).sum(), truth[:, k].sum(), said[:, k].sum()
        one = found.by_label[name]
        assert one.support == has
        assert one.precision == pytest.approx(both / gets if gets else 0)
        assert one.recall == pytest.approx(both / has if has else 0)
        assert one.f1 == pytest.approx(2 * both / (has + gets) if both else 0)
        if single:
            assert found.confusion[k] == [int((truth[:, k] * said[:, j]).sum()) for j in range(4)]
        else:
            assert found.confusion[k][1] == [has - both, both]
    assert found.metrics["f1_macro"] == pytest.approx(
        np.mean([found.by_label[name].f1 for name in NAMES[: 3 if single else 4]])
    )
    assert not found.errors


def test_a_label_that_is_the_only_one_is_scored_as_beside_others():
    problem, labels = PROBLEMS[MULTI_LABEL], np.array([[1], [1], [1], [0]], np.float32)
    scores = np.array([[0.9], [0.8], [0.2], [0.1]])
    found = detail(problem, split(labels), scores, ["a"])
    one = found.by_label["a"]
    assert (one.precision, one.recall, one.f1, one.support) == (1, pytest.approx(2 / 3), pytest.approx(0.8), 3)
    assert found.confusion == [[[1, 0], [1, 2]]]
    assert found.metrics == {"f1_micro": pytest.approx(0.8), "f1_macro": pytest.approx(0.8), "accuracy": 0.75}
    for truth in (labels, labels * 0, labels * 0 + 1):
        alone = detail(problem, split(truth), scores, ["a"])
        beside = detail(problem, split(np.hstack([truth, truth])), np.hstack([scores, scores]), ["a", "b"])
        assert alone.by_label["a"] == beside.by_label["a"]
        assert alone.confusion == beside.confusion[:1]
        assert alone.metrics == beside.metrics


def test_errors_of_values_are_in_their_unit():
    labels, said = np.array([100_000, 200_000, 400_000], np.float32), np.array([[110_000], [200_000], [340_000]])
    found = detail(PROBLEMS[REGRESSION], split(labels), said.astype(np.float32), ["value"])
    assert found.errors == {"mae": pytest.approx(70_000 / 3), "rmse": pytest.approx((3.7e9 / 3) ** 0.5)}
    assert 0.9 < found.metrics["pearson_spearman"] <= 1
    assert not found.by_label
    assert not found.confusion


def test_the_confusion_of_very_many_labels_is_left_out():
    number = MOST_LABELS + 1
    scores = rng.random((10, number))
    found = detail(PROBLEMS[SINGLE_LABEL], split(rng.integers(0, number, 10)), scores, list(map(str, range(number))))
    assert not found.confusion
    assert len(found.by_label) == number
