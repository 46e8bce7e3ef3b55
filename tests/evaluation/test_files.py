"""What an evaluation leaves in a folder, and reads back."""

import csv
import json

import pytest

from leco import LecoError
from leco.evaluation import EVALUATION, Evaluation, read_evaluation, save_evaluation
from leco.evaluation.curve import Curve, Point

POINTS = [
    Point({"name": "cobee", "tau": 0.1, "patience": 2}, 0.7, 0.71, 2.5, 0.5, 0.45, 1.8),
    Point({"name": "cobee", "tau": 0.5, "patience": 1}, 0.6, 0.61, 2.0, 0.6, 0.55, 2.2),
]
FOUND = Evaluation(
    data="some",
    metric="accuracy",
    rows=10,
    exit_scores=[0.5, 0.6, 0.7],
    avg=0.6,
    best=0.7,
    full_depth_score=0.7,
    criterion=POINTS[0].criterion,
    score=0.69,
    speedup=0.4,
    speedup_factor=1.7,
    speedup_repeats=[0.4],
    timed_texts=5,
    seconds=0.002,
    full_depth_seconds=0.003,
    mean_exit_layer=2.1,
    exit_layer_counts=[2, 5, 3],
    exit_layer_counts_by_label={"a": [1, 2, 3], "b": [1, 3, 0]},
    dev={"exit_scores": [0.5, 0.6, 0.7], "score": 0.7, "mean_exit_layer": 2.0},
    curves={"cobee": Curve(POINTS, 0.66)},
    area_range=(0.45, 0.55),
)


def test_an_evaluation_is_read_as_it_was_written(tmp_path):
    paths = save_evaluation(FOUND, tmp_path / "new")
    assert [path.name for path in paths] == ["evaluation.json", "curves.csv", "curves.png", "curves.svg"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in paths}
    assert read_evaluation(tmp_path / "new" / EVALUATION) == FOUND


def test_a_row_for_each_point(tmp_path):
    save_evaluation(FOUND, tmp_path)
    with (tmp_path / "curves.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first == {
        "criterion": "cobee",
        "settings": "tau=0.1,patience=2",
        "dev_score": "0.7",
        "test_score": "0.71",
        "speedup": "0.45",
        "speedup_factor": "1.8",
        "mean_exit_layer": "2.5",
        "layers_saved": "0.5",
    }
    assert second["settings"] == "tau=0.5,patience=1"


@pytest.mark.parametrize("value", [{}, [], {**FOUND.to_dict(), "curves": 3}, {**FOUND.to_dict(), "colour": "red"}])
def test_what_is_no_evaluation_is_refused(tmp_path, value):
    (tmp_path / "x.json").write_text(json.dumps(value))
    with pytest.raises(LecoError, match="is not as it was written"):
        read_evaluation(tmp_path / "x.json")
