"""The picture of a benchmark."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leco.bench.measure import CONTROL, Row
from leco.display import in_plot
from leco.files import save_figure


def draw(path: Path, rows: Sequence[Row], metric: str) -> None:
    """Draw the score of the `rows` over their latency at batch size 1 to `path`: better is up and left.

    Bars show the 90th percentile, and `metric` is the name of the score.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    for row in rows:
        if row.batch_size == 1 and row.way != CONTROL:
            bar = np.array([[0], [row.p90_ms - row.median_ms]])
            axis.errorbar(row.median_ms, row.score, xerr=bar, fmt="o", capsize=3, label=in_plot(row.way))
    axis.set_xlabel("milliseconds for a text: median, and to the right the 90th percentile")
    axis.set_ylabel(in_plot(metric))
    axis.set_xlim(left=0)
    axis.grid(alpha=0.3)
    axis.legend()
    save_figure(figure, path)
