"""The monitor's evidence: against what it is defined as, and how often it is wrong."""

from itertools import pairwise
from math import isfinite, log

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import betaincc, betaln, gammaln, logsumexp
from scipy.stats import beta

from leco.calibration import Watch, first_alarms, log_evidence
from leco.errors import LecoError


@pytest.mark.parametrize(("s", "n", "rate", "expected"), [(0, 5, 0.02, 0.02), (3, 40, 0.05, 0.02), (9, 50, 0.3, 0.1)])
def test_the_evidence_is_the_mean_capital_of_bets_on_higher_rates(s, n, rate, expected):
    prior = beta(1, 1 / expected - 1)

    def capital(q):
        return prior.pdf(q) * (q / rate) ** s * ((1 - q) / (1 - rate)) ** (n - s)

    mean = quad(capital, rate, 1, epsabs=1e-12)[0] / prior.sf(rate)
    assert log_evidence(s, n, rate, expected) == pytest.approx(log(mean), abs=1e-6)


def test_rows_that_disagree_by_parts_are_no_more_evidence_than_bets_allow():
    """By parts the evidence is at most what linear bets win, whose mean under the promise is not above 1."""
    parts, q, rate = np.array([0.3, 0.9, 0.0, 0.5]), 0.4, 0.1
    ours = (q / rate) ** parts.sum() * ((1 - q) / (1 - rate)) ** (4 - parts.sum())
    linear = np.prod(parts * q / rate + (1 - parts) * (1 - q) / (1 - rate))
    assert ours <= linear


@pytest.mark.parametrize("bound", [0.01, 0.05])
def test_false_alarms_stay_below_alpha_and_alarms_come_under_a_shift(bound):
    rng, fewest = np.random.default_rng(0), first_alarms(2000, bound, alpha=0.05)

    def alarms(rate):
        return ((rng.random((2000, 2000)) < rate).cumsum(1) >= fewest).any(1).mean()

    assert 0 < alarms(bound) <= 0.05
    assert alarms(0.5 * bound) <= 0.01
    assert alarms(4 * bound) > 0.99


def test_the_fewest_that_alarm_are_those_of_a_watch():
    fewest = first_alarms(300, 0.02, 0.05)
    for rows in (1, 10, 120, 300):
        for disagreements in range(rows + 1)[:12]:
            watch = Watch(0.02).seen(rows, np.r_[np.ones(disagreements), np.zeros(rows - disagreements)])
            assert (watch.alarm is not None) == (disagreements >= fewest[rows - 1])


def test_its_lowest_rate_is_where_the_evidence_is_just_enough():
    watch = Watch(0.02).seen(500, np.r_[np.ones(30), np.zeros(170)])
    assert 0.02 < watch.lowest < 30 / 200
    assert log_evidence(30, 200, watch.lowest, 0.02) == pytest.approx(log(1 / 0.05), abs=1e-6)
    assert "The promised 2 % is contradicted: 30 of 200 texts" in watch.sentence()
    assert Watch(0.02).lowest == 0
    assert "Nothing contradicts the promised 2 %: 0 of 0 texts" in Watch(0.02).sentence()


@pytest.mark.parametrize(("s", "n", "bound"), [(4, 4, 0.02), (10, 10, 0.02), (15, 20, 0.001), (28, 30, 0.002)])
@pytest.mark.parametrize("rate", [0.05, 0.4, 0.9, 0.9999])
def test_the_evidence_is_had_where_floats_do_not_hold_its_integral(s, n, bound, rate):
    b, k = 1 / bound - 1, np.arange(s + 1)
    after = b + n - s  # the integral by parts, s times over: a sum of terms above 0
    terms = gammaln(s + 1) - gammaln(s + 1 - k) + gammaln(after + 1) - gammaln(after + 1 + k)
    expected = log(b / after) + logsumexp(terms + k * log((1 - rate) / rate))
    assert log_evidence(s, n, rate, bound) == pytest.approx(expected, abs=1e-8)


def evidence_by_floats(s, n, rate, bound):
    """The evidence by its formula as it stands; NaN where floats do not hold it."""
    b = 1 / bound - 1
    with np.errstate(all="ignore"):
        seen = betaln(1 + s, b + n - s) + np.log(betaincc(1 + s, b + n - s, rate))
        return seen - betaln(1, b) - np.log(betaincc(1, b, rate)) - s * np.log(rate) - (n - s) * np.log1p(-rate)


def lowest_by_floats(s, n, bound):
    """The lowest rate by the formula as it stands; None where floats do not hold it on the way there."""
    try:
        return brentq(lambda rate: log(20) - evidence_by_floats(s, n, rate, bound), 1e-12, min(s / n, 1 - 1e-12))
    except ValueError:
        return None


@pytest.mark.parametrize("bound", [0.0001, 0.001, 0.002, 0.02, 0.1, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("n", [1, 4, 10, 30, 1000, 1_000_000])
def test_whatever_is_seen_its_lowest_rate_is_a_number_and_grows_with_what_disagrees(n, bound):
    counts = sorted({min(s, n) for s in (0, 0.5, 1, 2, n // 100, n // 10, n // 3, n / 2, 0.9 * n, n - 1, n - 0.5, n)})
    watches = [Watch(bound) + Watch(bound, texts=n, checked=n, disagreements=float(s)) for s in counts]
    for watch, s in zip(watches, counts, strict=True):
        assert isfinite(watch.lowest)
        assert (0 if watch.alarm is None else bound) <= watch.lowest <= s / n + 1e-12
        assert ("is contradicted" in watch.sentence()) == (watch.alarm is not None)
        if watch.lowest and (known := lowest_by_floats(s, n, bound)) is not None:
            assert watch.lowest == pytest.approx(known, abs=1e-9)
    assert all(first.lowest <= second.lowest for first, second in pairwise(watches))


def test_what_processes_have_seen_adds_up():
    losses = np.random.default_rng(0).random(400) < 0.2
    whole = Watch(0.05).seen(900, losses)
    parts = Watch(0.05).seen(500, losses[:150]) + Watch(0.05).seen(400, losses[150:])
    assert (parts.texts, parts.checked, parts.disagreements) == (900, 400, losses.sum())
    assert whole.alarm is not None
    assert parts.alarm is not None
    assert Watch.from_dict(parts.to_dict(), "x") == parts
    with pytest.raises(LecoError, match=r"two promises: 5 % .* and 2 %"):
        parts + Watch(0.02)


def test_an_alarm_stays_when_later_rows_agree():
    watch = Watch(0.02).seen(20, np.ones(10)).seen(100_000, np.zeros(50_000))
    assert watch.alarm == {"checked": 10, "disagreements": 10.0}


@pytest.mark.parametrize(
    "change", [{"bound": 0}, {"alpha": 1.0}, {"checked": 3}, {"disagreements": -1.0}, {"texts": "1"}, {"more": 1}]
)
def test_a_state_that_is_none_is_refused(change):
    with pytest.raises(LecoError, match=r"^'x.json' is not as it was written"):
        Watch.from_dict({**Watch(0.02).seen(2, np.zeros(1)).to_dict(), **change}, "'x.json'")


def test_after_an_alarm_the_sentence_contradicts_the_promise_whatever_comes():
    alarmed = Watch(bound=0.1).seen(100, np.arange(100) < 40)
    for agreeing in (0, 500, 100_000):
        later = alarmed.seen(agreeing, np.zeros(agreeing))
        assert later.alarm == alarmed.alarm
        assert later.lowest > later.bound
        assert Watch.from_dict(later.to_dict(), "'w.json'") == later


@pytest.mark.parametrize(
    "alarm", [{}, {"x": 1.0}, {"checked": 5, "disagreements": 1}, {"checked": 500, "disagreements": 400}]
)
def test_an_alarm_that_was_never_raised_is_refused(alarm):
    given = {**Watch(bound=0.1).seen(100, np.arange(100) < 40).to_dict(), "alarm": alarm}
    with pytest.raises(LecoError, match=r"'w.json' is not as it was written"):
        Watch.from_dict(given, "'w.json'")
