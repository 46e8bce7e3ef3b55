"""The speedup-score curve of a criterion: the score that is left when a share of time or layers is saved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leco.criteria import Criterion, Task
from leco.evaluation.scores import Setting, Stored, settings
from leco.evaluation.speedup import OperatingPoint, Speedup


@dataclass(frozen=True)
class Point:
    """A setting on a curve, chosen on dev; all but `dev_score` is of test.

    Attributes:
        criterion: its name and settings.
        dev_score, score: the task's score when texts leave by it, on dev and on test.
        mean_exit_layer: the mean layer at which texts leave; 0 is the embeddings.
        layers_saved: the share of the layers' work that it saves, 0 to 1.
        speedup, speedup_factor: of time, measured by really exiting; None where it was not measured.

    """

    criterion: dict[str, Any]
    dev_score: float
    score: float
    mean_exit_layer: float
    layers_saved: float
    speedup: float | None = None
    speedup_factor: float | None = None

    @property
    def saved(self) -> float:
        """Its place on the axis of savings: the measured speedup, or else the share of layers saved."""
        return self.layers_saved if self.speedup is None else self.speedup


@dataclass(frozen=True)
class Curve:
    """Points from the slowest to the fastest; `area` is their mean score over a range that curves share (`area`)."""

    points: list[Point]
    area: float | None = None

    @property
    def measured(self) -> bool:
        """Whether its savings are measured speedups, not shares of layers."""
        return any(point.speedup is not None for point in self.points)


def operating_points(
    criterion: type[Criterion], dev: Stored, test: Stored, task: Task, points: int = 20
) -> list[OperatingPoint]:
    """At least `points` settings spread evenly over the shares of layers saved on dev, with the exit layers on test.

    The range of shares is cut into equal intervals, and of each the setting with the best dev score is taken. There
    are as many intervals as it takes, `points` or that doubled time and again, until at least `points` of them have a
    setting; a criterion whose sweep saves fewer distinct shares gives one setting for each. The labels of test are
    not looked at.
    """
    return [
        OperatingPoint.by(setting.criterion, setting.score, test.exit_layers(setting.criterion, task))
        for setting in spread(settings(criterion, dev, task), task, points)
    ]


def spread(tried: Sequence[Setting], task: Task, points: int = 20) -> list[Setting]:
    """Of settings on dev those of `operating_points`, the slowest first."""
    shares = np.array([1 - setting.mean_exit_layer / task.num_layers for setting in tried])
    enough = min(points, len(np.unique(shares)))
    intervals, chosen = points, _best_of_each(tried, shares, points)
    while len(chosen) < enough:
        intervals *= 2
        chosen = _best_of_each(tried, shares, intervals)
    return chosen


def _best_of_each(tried: Sequence[Setting], shares: np.ndarray[Any, Any], intervals: int) -> list[Setting]:
    """Of each of equal intervals of the shares saved that has settings, the one with the best score; slowest first."""
    width = max(shares.max(), 1e-9) / intervals
    best: dict[int, Setting] = {}
    for setting, share in zip(tried, shares, strict=True):
        interval = min(int(share / width), intervals - 1)
        if interval not in best or setting.score > best[interval].score:
            best[interval] = setting
    return [best[interval] for interval in sorted(best)]


def curve(
    chosen: Sequence[OperatingPoint], test: Stored, task: Task, speedups: Sequence[Speedup | None] | None = None
) -> list[Point]:
    """The curve through operating points, with their speedups where they were measured, from slow to fast."""
    points = []
    for one, speedup in zip(chosen, speedups or [None] * len(chosen), strict=True):
        mean = float(one.exit_layers.mean())
        points.append(
            Point(
                criterion=one.setting,
                dev_score=one.dev_score,
                score=test.at(one.exit_layers),
                mean_exit_layer=mean,
                layers_saved=1 - mean / task.num_layers,
                speedup=None if speedup is None else speedup.speedup,
                speedup_factor=None if speedup is None else speedup.factor,
            )
        )
    return sorted(points, key=lambda point: point.saved)


def common_range(curves: Iterable[Sequence[Point]]) -> tuple[float, float] | None:
    """The savings that all curves reach: from the largest of their smallest to the smallest of their largest.

    None where there are no such savings.
    """
    saved = [[point.saved for point in points] for points in curves]
    low, high = max(map(min, saved), default=0.0), min(map(max, saved), default=0.0)
    return (low, high) if low < high else None


def area(points: Sequence[Point], low: float, high: float) -> float:
    """The area under a curve between two savings, divided by their distance: the mean score over that range.

    Between its points the curve is a straight line (the trapezoid rule is exact), beyond its ends it is constant.
    """
    ordered = sorted(points, key=lambda point: point.saved)
    saved, scores = [p.saved for p in ordered], [p.score for p in ordered]
    inside = [point for point in ordered if low < point.saved < high]
    first, last = np.interp([low, high], saved, scores)
    at = np.array([low, *(point.saved for point in inside), high])
    heights = np.array([first, *(point.score for point in inside), last])
    return float((np.diff(at) * (heights[1:] + heights[:-1]) / 2).sum() / (high - low))
