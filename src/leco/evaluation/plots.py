"""Curves as pictures, in the style of the paper's Figure 2: a marker and a line for each criterion."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

from leco.criteria import Oracle
from leco.evaluation.curve import Curve
from leco.files import save_figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which people with any kind of colour vision tell apart; without the yellow, which is too light."""
MARKERS = "os^Dv*PXp<>"


def draw_curves(
    paths: Sequence[Path], curves: Mapping[str, Curve], metric: str, one_layer: Mapping[float, float] | None = None
) -> None:
    """Draw curves by name into files of the kinds that the paths' suffixes say.

    The oracle's is dashed, and level where more time would not help it. `one_layer` adds what one layer for all texts
    scores, by the share of layers that it saves.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axis = figure.subplots()
    if one_layer:
        axis.plot(list(one_layer), list(one_layer.values()), "o--", color="0.6", label="one layer for all texts")
    looks = zip(cycle(COLOURS), cycle(MARKERS), strict=False)
    for name, curve in curves.items():
        saved, scores = [point.saved for point in curve.points], [point.score for point in curve.points]
        if name == Oracle.name:
            level = [min(0.0, *saved), *saved], [scores[0], *scores]
            axis.plot(*level, "--", color="0.35", linewidth=1.2, label="oracle (bound)")
        else:
            colour, marker = next(looks)
            axis.plot(saved, scores, marker=marker, color=colour, markersize=4, linewidth=1.2, alpha=0.9, label=name)
    measured = any(curve.measured for curve in curves.values())
    axis.set_xlabel("speedup" if measured else "share of layers saved")
    axis.set_ylabel(metric.replace("_", " "))
    axis.grid(alpha=0.3)
    if curves or one_layer:
        axis.legend(fontsize=8)
    for path in paths:
        save_figure(figure, path)
