"""The files of an evaluation: everything as JSON, the curves as a table and as pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leco.evaluation.plots import draw_curves
from leco.evaluation.result import Evaluation
from leco.files import FIGURE_MARKS, write_csv, write_json
from leco.outputs import check_outputs
from leco.registry import format_settings

EVALUATION = "evaluation.json"
"""Its file in an output folder."""
COLUMNS = (
    "criterion",
    "settings",
    "dev_score",
    "test_score",
    "speedup",
    "speedup_factor",
    "mean_exit_layer",
    "layers_saved",
)
MARKS = {
    EVALUATION: b'"exit_scores"',
    "curves.csv": ",".join(COLUMNS).encode(),
    **{f"curves{suffix}": mark for suffix, mark in FIGURE_MARKS.items()},
}
"""The files, and by what each is known again."""


def save_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write evaluation.json, curves.csv, curves.png and curves.svg into `folder`, each whole; their paths.

    LecoError where one of them is there and is something else.
    """
    check_outputs(folder, MARKS)
    table, pictures = folder / "curves.csv", [folder / "curves.png", folder / "curves.svg"]
    write_csv(table, COLUMNS, curve_rows(evaluation))
    draw_curves(pictures, evaluation.curves, evaluation.metric)
    write_json(folder / EVALUATION, evaluation.to_dict())
    return [folder / EVALUATION, table, *pictures]


def curve_rows(evaluation: Evaluation) -> Iterator[list[Any]]:
    """For each point of each curve its `COLUMNS`; speedups are None where they were not measured."""
    for name, curve in evaluation.curves.items():
        for point in curve.points:
            numbers = (point.dev_score, point.score, point.speedup, point.speedup_factor)
            yield [name, format_settings(point.criterion), *numbers, point.mean_exit_layer, point.layers_saved]
