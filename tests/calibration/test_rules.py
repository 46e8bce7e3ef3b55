"""What rules select, against loops, and the promise that each of them makes, by simulation."""

import numpy as np
import pytest
from scipy import stats

from leco.calibration import RULES, Tried, select
from leco.criteria import Entropy, Static

PROMISING = [name for name, rule in RULES.items() if rule.promise]
ROWS, BOUND, DELTA = 150, 0.05, 0.1


def losses(errors, rows=ROWS):
    """Losses [S, N] of settings with so many errors each, on the first texts."""
    return np.arange(rows) < np.array(errors)[:, None]


@pytest.mark.parametrize(
    ("errors", "expected"), [([0, 1, 2], 2), ([0, 30, 0], 0), ([30, 0], -1), ([0, 0, 3, 9, 1], 2), ([0], 0)]
)
def test_the_last_before_the_first_failure(errors, expected):
    assert RULES["ltt"].select(losses(errors), BOUND, DELTA) == expected
    assert RULES["ucb"].select(losses(np.array(errors) // 3), BOUND, DELTA) == expected, "its bound is wider"
    assert stats.binom.cdf(3, ROWS, BOUND) <= DELTA < stats.binom.cdf(9, ROWS, BOUND)


def test_the_naive_rule_takes_the_last_that_passes_whatever_is_before():
    assert RULES["naive"].select(losses([0, 30, 7, 8]), BOUND, DELTA) == 2
    assert RULES["naive"].select(losses([30, 8]), BOUND, DELTA) == -1


def test_conformal_risk_control_counts_the_largest_loss_so_far():
    moved = losses([2, 3, 4])
    moved[1] = moved[1][::-1]  # other texts than before and after
    rule, kept = RULES["crc"], [2, 5, 7]
    assert [int(each) for each in np.maximum.accumulate(moved, axis=0).sum(-1)] == kept
    for bound in (0.012, 0.02, 0.025, 0.04, 0.0535):
        expected = sum((count + 1) / (ROWS + 1) <= bound for count in kept) - 1
        assert rule.select(moved, bound, DELTA) == expected


@pytest.mark.parametrize("name", PROMISING)
@pytest.mark.parametrize("kind", [bool, float])
def test_the_order_of_the_texts_does_not_matter(name, kind):
    """Sorted, errors first or last: of a risk far above the bound nothing passes, of one far within it all does."""
    random = np.random.default_rng(0)
    for risk, passes in ((2 * BOUND, False), (BOUND / 5, True)):
        lost = np.sort(random.random(1500) < risk) * (1 if kind is bool else random.uniform(0.8, 1, 1500))
        for order in (lost, lost[::-1], random.permutation(lost)):
            assert RULES[name].select(order[None].astype(kind), BOUND, DELTA) == (0 if passes else -1)


@pytest.mark.parametrize("name", RULES)
def test_many_samples_are_selected_at_once_as_one_by_one(name):
    sample = np.random.default_rng(0).random((7, 5, ROWS)) < np.linspace(0, 0.08, 5)[:, None]
    together = RULES[name].select(sample, BOUND, DELTA)
    assert together.tolist() == [int(RULES[name].select(one, BOUND, DELTA)) for one in sample]


@pytest.fixture(scope="module")
def risks():
    """On a coarse grid: settings whose risk is first far within the bound and then a little above it."""
    return np.array([0.001, 0.01, 0.054, 0.06, 0.3])


@pytest.mark.parametrize("kind", [bool, float])
@pytest.mark.parametrize("name", RULES)
def test_the_risk_keeps_the_promise(risks, name, kind):
    """By 2,000 samples: of a confident rule, how often the risk exceeds the bound; of the others, its mean."""
    random = np.random.default_rng(0)
    bad = random.random((2000, 1, ROWS)) < risks[:, None]
    sample = bad if kind is bool else bad * 0.5 + (random.random(bad.shape) < risks[:, None]) * 0.5
    chosen = RULES[name].select(sample, BOUND, DELTA)
    reached = np.where(chosen >= 0, risks[np.maximum(chosen, 0)], 0.0)
    exceeds = int((reached > BOUND).sum())
    low, _ = stats.binomtest(exceeds, len(reached)).proportion_ci(0.999)
    if name == "naive":
        assert low > DELTA
    elif RULES[name].confident:
        assert low <= DELTA
        assert exceeds / len(reached) <= DELTA
    else:
        assert reached.mean() <= BOUND


def tried(errors, layer):
    """Tried settings with so many errors each, which leave at a layer."""
    chain = [Entropy(float(index)) for index in range(len(errors))]
    by_name = {
        str(one): Tried(one, each, np.full(ROWS, layer)) for one, each in zip(chain, losses(errors), strict=True)
    }
    return chain, by_name


def test_of_several_orders_each_has_its_share_and_the_earliest_exits_win():
    chain, by_name = tried([0, 1, 2, 3], 4)
    fixed = [Static(2)]
    by_name[str(fixed[0])] = Tried(fixed[0], losses([0])[0], np.full(ROWS, 2))
    orders = {"entropy": chain, "static": fixed}
    assert stats.binom.cdf(3, ROWS, BOUND) > DELTA / 2 >= stats.binom.cdf(2, ROWS, BOUND)
    rule = RULES["ltt"]
    assert select(rule, {"entropy": chain}, lambda one: by_name[str(one)], BOUND, DELTA).criterion == chain[3]
    assert select(rule, orders, lambda one: by_name[str(one)], BOUND, DELTA).criterion == fixed[0]
    by_name[str(fixed[0])] = Tried(fixed[0], losses([9])[0], np.full(ROWS, 2))
    assert select(rule, orders, lambda one: by_name[str(one)], BOUND, DELTA).criterion == chain[2]


def test_nothing_is_tried_behind_the_first_failure():
    chain, by_name = tried([0, 30, 0, 0], 4)
    asked = []

    def attempt(one):
        asked.append(one)
        return by_name[str(one)]

    assert select(RULES["ltt"], {"entropy": chain}, attempt, BOUND, DELTA).criterion == chain[0]
    assert asked == chain[:2]
    assert select(RULES["naive"], {"entropy": chain}, attempt, BOUND, DELTA).criterion == chain[3]
