"""The files of an evaluation: everything as JSON, the curves as a table and as pictures."""

import csv
import io
from pathlib import Path

from leco.evaluation.plots import draw_curves
from leco.evaluation.result import Evaluation
from leco.files import write_json, write_text
from leco.registry import format_settings

EVALUATION = "evaluation.json"
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


def save_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write evaluation.json, curves.csv, curves.png and curves.svg into `folder`, each whole; their paths."""
    table, pictures = folder / "curves.csv", [folder / "curves.png", folder / "curves.svg"]
    write_text(table, curves_csv(evaluation))
    draw_curves(pictures, evaluation.curves, evaluation.metric)
    write_json(folder / EVALUATION, evaluation.to_dict())
    return [folder / EVALUATION, table, *pictures]


def curves_csv(evaluation: Evaluation) -> str:
    """A row for each point of each curve; speedups are empty where they were not measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, curve in evaluation.curves.items():
        for point in curve.points:
            numbers = (point.dev_score, point.score, point.speedup, point.speedup_factor)
            writer.writerow(
                [name, format_settings(point.criterion), *numbers, point.mean_exit_layer, point.layers_saved]
            )
    return text.getvalue()
