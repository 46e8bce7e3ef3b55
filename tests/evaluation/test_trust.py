"""Whether exits know when they are wrong, against loops over pairs and bins."""

import numpy as np
import pytest

from leco.evaluation.trust import BINS, trust, trust_by_exit
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL

RANDOM = np.random.default_rng(0)
EXITS = RANDOM.random((4, 60, 3))


@pytest.mark.parametrize(
    ("kind", "labels"),
    [(SINGLE_LABEL, RANDOM.integers(0, 3, 60)), (MULTI_LABEL, (RANDOM.random((60, 3)) < 0.7).astype(np.float32))],
    ids=[SINGLE_LABEL, MULTI_LABEL],
)
def test_by_the_definitions(kind, labels):
    problem = PROBLEMS[kind]
    scores = EXITS / EXITS.sum(-1, keepdims=True) if kind == SINGLE_LABEL else EXITS
    for found, layer in zip(trust_by_exit(problem, scores, labels), scores, strict=True):
        right = problem.right(layer, labels)
        sure = [max(row) if kind == SINGLE_LABEL else np.prod([max(p, 1 - p) for p in row]) for row in layer]
        pairs = [(a > b) + (a == b) / 2 for a, yes in zip(sure, right) if yes for b, no in zip(sure, right) if not no]
        assert found.auroc == pytest.approx(np.mean(pairs))
        error = 0.0
        for place in range(BINS):
            rows = [row for row, one in enumerate(sure) if place / BINS <= one < (place + 1) / BINS]
            if rows:
                error += len(rows) / 60 * abs(np.mean(right[rows]) - np.mean([sure[row] for row in rows]))
        assert found.calibration_error == pytest.approx(error)


def test_the_ends():
    right = np.array([True, True, False, False])
    assert trust(right.astype(float), right).auroc == 1
    assert trust(right.astype(float), right).calibration_error == 0
    assert trust(np.ones(4), right).auroc == 0.5
    assert trust(np.ones(4), right).calibration_error == 0.5
    assert trust(np.ones(4), np.ones(4, bool)).auroc is None


def test_values_are_neither_right_nor_wrong():
    assert trust_by_exit(PROBLEMS[REGRESSION], EXITS[..., :1], np.zeros(60)) == []
