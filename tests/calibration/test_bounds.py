"""The arithmetic of bounds, against SciPy's and against loops written from the papers."""

import math

import numpy as np
import pytest
from scipy import stats

from leco.calibration.bounds import binomial_contradiction_p, binomial_p, capital, hoeffding_bentkus_p
from leco.calibration.rules import RULES, bound_of, rows_needed

COUNTS = [(0, 1), (0, 114), (3, 200), (40, 500), (200, 200)]


@pytest.mark.parametrize(("errors", "rows"), COUNTS)
@pytest.mark.parametrize("bound", [0.001, 0.02, 0.3])
def test_binomial_p_values_are_the_tails(errors, rows, bound):
    assert binomial_p(errors, rows, bound) == pytest.approx(stats.binom.cdf(errors, rows, bound), abs=1e-12)
    assert binomial_contradiction_p(errors, rows, bound) == pytest.approx(
        stats.binom.sf(errors - 1, rows, bound), abs=1e-12
    )


@pytest.mark.parametrize(("errors", "rows"), COUNTS)
@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.99])
def test_the_bound_of_one_setting_is_that_of_clopper_and_pearson(errors, rows, confidence):
    losses = np.arange(rows) < errors
    interval = stats.binomtest(errors, rows, alternative="less").proportion_ci(confidence, method="exact")
    assert bound_of(RULES["ltt"], losses, 1 - confidence) == pytest.approx(interval.high, abs=1e-9)


def test_hoeffding_and_bentkus_by_the_formula():
    for mean in (0.0, 0.011, 0.02, 0.05):
        for rows in (30, 400):
            low, bound = min(mean, 0.02), 0.02
            first = low * math.log(low / bound) if low else 0.0
            entropy = first + (1 - low) * math.log((1 - low) / (1 - bound))
            tail = math.e * stats.binom.cdf(math.ceil(rows * mean), rows, bound)
            expected = min(math.exp(-rows * entropy), tail, 1.0)
            assert hoeffding_bentkus_p(mean, rows, bound) == pytest.approx(expected, abs=1e-12)


def test_the_capital_of_a_bet_by_the_formula():
    losses, bound, delta = np.random.default_rng(0).random((3, 50)) * 0.3, 0.2, 0.1
    for row, found in zip(losses, capital(losses, bound, delta)):
        total, spread, variance, money, largest = 0.5, 0.25, 0.25, 1.0, 0.0
        for index, loss in enumerate(row, start=1):
            bet = min(1.0, math.sqrt(2 * math.log(1 / delta) / (len(row) * variance)))
            money *= 1 - bet * (loss - bound)
            largest = max(largest, money)
            total += loss
            spread += (loss - total / (index + 1)) ** 2
            variance = spread / (index + 1)
        assert found == pytest.approx(largest)


@pytest.mark.parametrize(("max_drop", "confidence"), [(0.01, 0.9), (0.02, 0.9), (0.05, 0.95), (0.2, 0.6)])
def test_the_fewest_rows_are_those_of_the_formula(max_drop, confidence):
    expected = math.ceil(math.log(1 - confidence) / math.log(1 - max_drop))
    assert rows_needed(RULES["ltt"], max_drop, 1 - confidence) == expected


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.promise])
@pytest.mark.parametrize("kind", [bool, float])
def test_one_row_less_than_needed_certifies_nothing(name, kind):
    rule = RULES[name]
    rows = rows_needed(rule, 0.05, 0.1)
    passes = [bool(rule.passes(np.zeros((1, number), kind), 0.05, 0.1)[0]) for number in (rows - 1, rows)]
    assert passes == [False, True]
