"""The speedup-score curve of a criterion: what each share of layers saved costs in score."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leco.criteria import Criterion, Task
from leco.evaluation.scores import Stored, settings
from leco.files import atomic_path


@dataclass(frozen=True)
class Point:
    """A setting on the curve: its score on test and the share of the layers' work that it saves there, 0 to 1."""

    criterion: dict[str, Any]
    score: float
    layers_saved: float


def curve(criterion: type[Criterion], dev: Stored, test: Stored, task: Task, points: int = 30) -> list[Point]:
    """At most `points` settings spread evenly over the shares of layers saved, chosen on dev and reported on test.

    For each of `points` equal intervals of the share saved on dev, the setting with the best dev score in it.
    """
    tried = settings(criterion, dev, task)
    saved = [1 - setting.mean_exit_layer / task.num_layers for setting in tried]
    width = max(max(saved), 1e-9) / points
    best: dict[int, int] = {}
    for index, share in enumerate(saved):
        interval = min(int(share / width), points - 1)
        if interval not in best or tried[index].score > tried[best[interval]].score:
            best[interval] = index
    result = []
    for interval in sorted(best):
        chosen = tried[best[interval]].criterion
        layers = test.exit_layers(chosen, task)
        result.append(Point(chosen.to_dict(), test.at(layers), float(1 - layers.mean() / task.num_layers)))
    return result


def draw_curves(path: Path, curves: dict[str, Sequence[Point]], exit_scores: Sequence[float], metric: str) -> None:
    """Draw curves by name over the share of layers saved, beside the exits themselves (a fixed layer for all texts)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    shares = 1 - np.arange(1, len(exit_scores) + 1) / len(exit_scores)
    axis.plot(shares, exit_scores, "o--", color="0.6", label="one layer for all texts")
    for name, points in curves.items():
        ordered = sorted(points, key=lambda point: point.layers_saved)
        axis.plot([p.layers_saved for p in ordered], [p.score for p in ordered], "o-", markersize=4, label=name)
    axis.set_xlabel("share of layers saved")
    axis.set_ylabel(metric)
    axis.grid(alpha=0.3)
    axis.legend()
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)
