"""Losses for each kind of problem, against loops."""

import numpy as np
import pytest

from leco.calibration import LOSSES
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL, LabelStatistics

ROWS = 40
RANDOM = np.random.default_rng(0)
EXITS = RANDOM.random((5, ROWS, 3))


@pytest.mark.parametrize(
    ("kind", "labels"),
    [(SINGLE_LABEL, RANDOM.integers(0, 3, ROWS)), (MULTI_LABEL, RANDOM.integers(0, 2, (ROWS, 3)).astype(np.float32))],
    ids=[SINGLE_LABEL, MULTI_LABEL],
)
def test_answers_that_are_labels(kind, labels):
    problem, full = PROBLEMS[kind], EXITS[-1]
    worse = LOSSES["worse"].of(problem, EXITS, full, labels)
    differ = LOSSES["disagreement"].of(problem, EXITS, full, None)
    assert worse.dtype == differ.dtype == bool
    assert all(one.any() and not one[-1].any() for one in (worse, differ))
    for exit_, scores in enumerate(EXITS):
        for row in range(ROWS):
            early, late = (np.atleast_1d(problem.predictions(one[row])) for one in (scores, full))
            truth = np.atleast_1d(labels[row])
            assert worse[exit_, row] == ((early != truth).any() and (late == truth).all())
            assert differ[exit_, row] == (early != late).any()


def test_values():
    problem = PROBLEMS[REGRESSION].with_statistics(LabelStatistics(mean=2.0, std=0.5))
    exits, labels = EXITS[..., :1], RANDOM.random(ROWS).astype(np.float32)
    full = exits[-1]
    worse = LOSSES["worse"].of(problem, exits, full, labels)
    differ = LOSSES["disagreement"].of(problem, exits, full, None)
    assert {0.0, 1.0} < set(worse.ravel().tolist())
    for exit_, scores in enumerate(exits):
        for row in range(ROWS):
            (early,), (late,), truth = scores[row], full[row], float(labels[row])
            further = (abs(early - truth) - abs(late - truth)) / 0.5
            assert worse[exit_, row] == pytest.approx(min(max(further, 0), 1), abs=1e-6)
            assert differ[exit_, row] == pytest.approx(min(abs(early - late) / 0.5, 1), abs=1e-6)
