"""Curves chosen on dev and reported on test, the oracle's bound, and the area under a curve."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from evaluation.outputs import LAYERS, TASK, stored
from leco.criteria import CRITERIA, Cobee, MaxProbability, Patience, Static, Task, criterion_from_dict, simulate
from leco.data import Split
from leco.evaluation.bound import bound
from leco.evaluation.curve import Curve, Point, area, common_range, curve, operating_points
from leco.evaluation.plots import draw_curves
from leco.evaluation.scores import Stored, settings
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL


def line(*spots):
    """Points at these savings with these scores."""
    return [Point({"name": "some"}, 0.0, score, 1.0, saved) for saved, score in spots]


@pytest.mark.parametrize("criterion", [c for c in CRITERIA.values() if c.deployable])
def test_a_curve_is_chosen_on_dev_and_reported_on_test(criterion):
    dev, test = stored(0), stored(1)
    chosen = operating_points(criterion, dev, test, TASK)
    points = curve(chosen, test, TASK)
    assert [point.layers_saved for point in points] == sorted(point.layers_saved for point in points)
    tried = [(1 - s.mean_exit_layer / LAYERS, s.score) for s in settings(criterion, dev, TASK)]
    shares = {share for share, _ in tried}
    assert len(points) >= min(20, len(shares))
    for point in points:
        setting = criterion_from_dict(point.criterion)
        layers = test.exit_layers(setting, TASK)
        assert point.score == test.at(layers)
        assert point.mean_exit_layer == layers.mean()
        assert point.layers_saved == pytest.approx(1 - layers.mean() / LAYERS)
        layers = dev.exit_layers(setting, TASK)
        assert point.dev_score == dev.at(layers)
        share = 1 - layers.mean() / LAYERS
        assert point.dev_score == max(score for other, score in tried if other == share), "the best of its kind"
    assert max(shares) >= 1 - chosen[-1].exit_layers.mean() / LAYERS - 0.1
    blind = replace(test, split=replace(test.split, labels=1 - test.split.labels % 2))
    assert [one.setting for one in operating_points(criterion, dev, blind, TASK)] == [one.setting for one in chosen]


def test_no_setting_that_saves_about_as_much_is_better_on_dev():
    dev = stored(0)
    tried = [(1 - s.mean_exit_layer / LAYERS, s.score) for s in settings(MaxProbability, dev, TASK)]
    width = max(share for share, _ in tried) / 5
    best = {}
    for share, score in tried:
        interval = min(int(share / width), 4)
        best[interval] = max(best.get(interval, 0), score)
    found = [one.dev_score for one in operating_points(MaxProbability, dev, stored(1), TASK, points=5)]
    assert found == [best[interval] for interval in sorted(best)]


def test_a_continuous_criterions_points_are_spread_evenly():
    points = curve(operating_points(Cobee, stored(0), stored(1), TASK), stored(1), TASK)
    assert 20 <= len(points) < 40
    assert np.diff([point.layers_saved for point in points]).max() < 0.15


def test_settings_that_crowd_are_told_apart_until_there_are_enough():
    """Nearly all thresholds save next to nothing, and one saves nearly all."""
    random = np.random.default_rng(0)
    sure = np.sort(0.5 + random.random(400) * 0.499)
    scores = np.stack([[np.stack([sure, 1 - sure], -1)], [np.tile([0.9, 0.1], (400, 1))]]).reshape(2, 400, 2)
    some = Stored(scores, Split(["a text"] * 400, np.zeros(400, np.int64)), "accuracy", SINGLE_LABEL)
    assert len(operating_points(MaxProbability, some, some, Task(2, 2))) >= 20
    assert len(operating_points(Static, some, some, Task(2, 2))) == 2


def test_no_exit_layers_score_more_than_the_bound():
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, 5)
    scores = random.random((3, 5, 2))
    some = Stored(scores, Split(["a text"] * 5, labels), "accuracy", SINGLE_LABEL)
    points = curve(bound(some, some, Task(2, 3)), some, Task(2, 3))
    saved, score = [point.layers_saved for point in points], [point.score for point in points]
    for layers in product([1, 2, 3], repeat=5):
        assert some.at(np.array(layers)) <= np.interp(1 - np.mean(layers) / 3, saved, score) + 1e-9


def test_the_bound_leaves_at_the_first_right_layer_or_at_once():
    labels = np.array([[1, 0], [0, 1], [1, 1]])
    right, wrong = labels * 0.8 + 0.1, 0.9 - labels * 0.8
    second, third = (np.where(np.array(which)[:, None], right, wrong) for which in ([1, 0, 0], [1, 1, 0]))
    scores = np.stack([wrong, second, third])
    some = Stored(scores, Split(["a text"] * 3, labels), "f1_micro", MULTI_LABEL)
    found = bound(some, some, Task(2, 3, MULTI_LABEL))
    assert [one.exit_layers.tolist() for one in found] == [[2, 3, 1], [2, 1, 1], [1, 1, 1]]
    assert [simulate(found[0].criterion_at(2), scores, Task(2, 3, MULTI_LABEL)).tolist()] == [[2, 2, 2]]
    assert found[0].criterion_at(2).uses(1), "exits before it are computed, as by a criterion"
    assert bound(some, some, Task(1, 3, REGRESSION)) == []


def test_the_bound_may_leave_at_the_embeddings():
    task, labels = Task(2, 2, exit_layers=(0, 1, 2)), np.array([1, 0])
    right = np.eye(2)[labels]
    some = Stored(
        np.stack([1 - right, right, right]), Split(["a text"] * 2, labels), "accuracy", SINGLE_LABEL, on=(0, 1, 2)
    )
    found = bound(some, some, task)
    assert [one.exit_layers.tolist() for one in found] == [[1, 1], [1, 1], [0, 0]]
    for layer in task.exit_layers:
        assert simulate(found[0].criterion_at(layer), some.scores, task).tolist() == [layer, layer]


def test_the_area_is_the_mean_score_over_a_range():
    assert area(line((0, 0.8), (1, 0.6)), 0, 1) == pytest.approx(0.7)
    assert area(line((0.5, 0.6), (0, 0.8)), 0, 1) == pytest.approx((0.7 + 0.6) / 2), "constant beyond the end"
    assert area(line((0, 1), (0.5, 1), (0.5, 0), (1, 0)), 0.25, 0.75) == pytest.approx(0.5)
    some = line((0.1, 0.9), (0.35, 0.7), (0.8, 0.75))
    at = np.linspace(0.2, 0.7, 100_001)
    expected = np.interp(at, [0.1, 0.35, 0.8], [0.9, 0.7, 0.75]).mean()
    assert area(some, 0.2, 0.7) == pytest.approx(expected, abs=1e-5)


def test_the_common_range_is_what_all_curves_reach():
    assert common_range([line((0, 1), (0.8, 1)), line((0.1, 1), (0.6, 1))]) == (0.1, 0.6)
    assert common_range([line((0, 1), (0.2, 1)), line((0.3, 1), (0.6, 1))]) is None
    assert common_range([line((0.2, 1))]) is None
    assert common_range([]) is None


def test_a_measured_speedup_takes_the_place_of_the_layers_saved():
    (point,) = line((0.5, 0.8))
    assert (point.saved, replace(point, speedup=0.4).saved) == (0.5, 0.4)


def test_curves_are_drawn(tmp_path):
    dev, test = stored(0), stored(1)
    curves = {one.name: Curve(curve(operating_points(one, dev, test, TASK), test, TASK)) for one in (Cobee, Patience)}
    curves["oracle"] = Curve(curve(bound(dev, test, TASK), test, TASK))
    for number in (1, 2):
        paths = [tmp_path / f"new{number}" / name for name in ("a.png", "a.svg")]
        draw_curves(paths, curves, "accuracy", {1 - layer / 6: score for layer, score in enumerate(test.by_exit(), 1)})
    assert (tmp_path / "new1" / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "cobee" in (tmp_path / "new1" / "a.svg").read_text()
    assert (tmp_path / "new1" / "a.svg").read_bytes() == (tmp_path / "new2" / "a.svg").read_bytes()
    assert sorted(path.name for path in (tmp_path / "new1").iterdir()) == ["a.png", "a.svg"]
