"""Each criterion's rule against a loop over one row, written from the published definitions."""

from math import exp, log, prod

import numpy as np
import pytest

from criteria.cases import ON_PROBLEMS, observed_of, random_labels, random_scores, settings_of, simulate
from leco.criteria import CRITERIA, MULTI_LABEL, REGRESSION, Task


def argmax(p):
    return max(range(len(p)), key=lambda k: p[k])


def cross(p, q):
    return -sum(a * log(b) for a, b in zip(p, q, strict=True))


def patiently(row, t, agrees, first):
    """The counter: layers from `first` on may agree, t agreements in a row leave."""
    count = 0
    for m in range(first, len(row)):
        count = count + 1 if agrees(m) else 0
        if count == t:
            return m
    return len(row)


def first_where(row, leaves):
    return next((m for m in range(1, len(row)) if leaves(m)), len(row))


def cobee(c, row, task, label):
    def agrees(m):
        k = argmax(row[m - 1])
        return abs(row[m - 1][k] - row[m - 2][k]) < c.tau

    return patiently(row, c.patience, agrees, 2)


def patience(c, row, task, label):
    def agrees(m):
        if task.problem_type == REGRESSION:
            return abs(row[m - 1][0] - row[m - 2][0]) < c.theta
        return argmax(row[m - 1]) == argmax(row[m - 2])

    return patiently(row, c.patience, agrees, 2)


def entropy(c, row, task, label):
    unit = log(task.num_outputs) if c.normalized else 1
    return first_where(row, lambda m: cross(row[m - 1], row[m - 1]) / unit < c.tau)


def max_probability(c, row, task, label):
    return first_where(row, lambda m: max(row[m - 1]) > c.tau)


def margin(c, row, task, label):
    def leaves(m):
        first, second, *_ = sorted(row[m - 1], reverse=True)
        return first - second > c.tau

    return first_where(row, leaves)


def similarity(name, p, q):
    a = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
    return {
        "kd": cross(p, q),
        "rekd": cross(q, p),
        "symkd": cross(p, q) + cross(q, p),
        "jskd": (cross(p, a) + cross(q, a)) / 2,
        "jensen-shannon": (cross(p, a) * -1 + cross(p, p)) / -2 + (cross(q, a) * -1 + cross(q, q)) / -2,
    }[name]


def f_pabee(c, row, task, label):
    def agrees(m):
        p, q = row[m - 2], row[m - 1]
        if task.problem_type == MULTI_LABEL:
            pairs = zip(p, q, strict=True)
            return sum(similarity(c.similarity, [x, 1 - x], [y, 1 - y]) for x, y in pairs) < c.tau
        return similarity(c.similarity, p, q) < c.tau

    return patiently(row, c.patience, agrees, 2)


def pcee(c, row, task, label):
    return patiently(row, c.patience, lambda m: cross(row[m - 1], row[m - 1]) / log(task.num_outputs) < c.tau, 1)


def voting(c, row, task, label):
    def leaves(m):
        votes = [argmax(p) for p in row[:m]]
        return max(votes.count(k) for k in range(task.num_outputs)) / m**c.rho >= c.tau

    return first_where(row, leaves)


def beem(c, row, task, label):
    total, before = 0.0, None
    for m, p in enumerate(row[:-1], start=1):
        total, before = (total if argmax(p) == before else 0.0) + max(p), argmax(p)
        if total >= c.alpha:
            return m
    return len(row)


def ensemble(c, row, task, label):
    def leaves(m):
        means = [prod(p[k] ** (1 / m) for p in row[:m]) for k in range(task.num_outputs)]
        return max(means) / sum(means) > c.tau

    return first_where(row, leaves)


def lte(c, row, task, label):
    return first_where(row, lambda m: observed_of(np.array(row[m - 1]))["doubts"] < c.tau)


def cap(c, row, task, label):
    def leaves(m):
        known, unseen = observed_of(np.array(row[m - 1]))["evidence"]
        return exp(c.alpha * unseen) / (exp(c.alpha * unseen) + exp(known)) < c.tau

    return first_where(row, leaves)


def static(c, row, task, label):
    return c.layer or len(row)


def oracle(c, row, task, label):
    if task.problem_type == MULTI_LABEL:
        return first_where(row, lambda m: [int(p > 0.5) for p in row[m - 1]] == label)
    return first_where(row, lambda m: argmax(row[m - 1]) == label)


LOOPS = {name: globals().get(name.replace("-", "_")) for name in CRITERIA}
"""The functions above, by their criteria's names."""


def test_each_criterion_has_its_loop():
    assert [name for name, loop in LOOPS.items() if loop is None] == []


@pytest.mark.parametrize("num_layers", [2, 6, 12])
@pytest.mark.parametrize(
    ("name", "problem_type", "num_outputs"),
    [(*on, num_outputs) for on in ON_PROBLEMS for num_outputs in ([1] if on[1] == REGRESSION else [2, 3, 5])],
)
def test_the_rule_is_the_loop(name, problem_type, num_outputs, num_layers):
    task = Task(num_outputs, num_layers, problem_type)
    for change in (1.0, 0.1):
        scores, labels = random_scores(task, 12, seed=num_layers, change=change), random_labels(task, 12)
        by_row = scores.swapaxes(0, 1).tolist()
        for criterion in settings_of(name, task, labels):
            expected = [LOOPS[name](criterion, *row) for row in zip(by_row, [task] * 12, labels.tolist(), strict=True)]
            assert simulate(criterion, scores, task).tolist() == expected, str(criterion)


def test_the_settings_tried_are_not_all_alike():
    task = Task(3, 12)
    scores = random_scores(task, 50, change=0.3)
    for name in CRITERIA:
        depths = {simulate(c, scores, task).mean() for c in settings_of(name, task, random_labels(task, 50))}
        assert len(depths) > 2 or not CRITERIA[name].deployable, name
        assert np.min(list(depths)) < 12
