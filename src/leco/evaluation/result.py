"""What an evaluation finds, as it is written and read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from leco.errors import LecoError
from leco.evaluation.curve import Curve, Point
from leco.files import read_json


@dataclass(frozen=True)
class Evaluation:
    """What is reported of a model on a test set. Scores are the task's, from 0 to 1 (correlations from -1).

    Attributes:
        exit_scores: the score of each exit on all texts, the first layer's first.
        avg, best: their mean and maximum.
        full_depth_score: the last exit's.
        criterion: name and settings of the exit criterion, chosen on dev.
        score: the score when texts leave by it.
        speedup, speedup_factor: measured at batch size 1 against full depth, medians of the repeats.
        timed_texts: on how many texts.
        seconds, full_depth_seconds: the mean time of a text there.
        mean_exit_layer: the mean layer at which texts leave, counted from 1.
        exit_layer_counts: how many texts leave at each layer, and the same for the texts with each label.
        dev: the same criterion on dev, and the exits' scores there.
        curves: criteria's speedup-score curves by name, settings chosen on dev; "oracle" is the bound.
        area_range: the smallest and largest speedup that all criteria's curves reach, between which areas are taken;
            None where speedups were not measured, or no range is shared.
        architectures: the exits', the first layer's first; empty where none is learned.

    """

    data: str
    metric: str
    rows: int
    exit_scores: list[float]
    avg: float
    best: float
    full_depth_score: float
    criterion: dict[str, Any]
    score: float
    speedup: float
    speedup_factor: float
    speedup_repeats: list[float]
    timed_texts: int
    seconds: float
    full_depth_seconds: float
    mean_exit_layer: float
    exit_layer_counts: list[int]
    exit_layer_counts_by_label: dict[str, list[int]]
    dev: dict[str, Any]
    curves: dict[str, Curve]
    area_range: tuple[float, float] | None = None
    architectures: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as a JSON object; `architectures` only where there are learned exits."""
        value = asdict(self)
        value["area_range"] = None if self.area_range is None else list(self.area_range)
        if not self.architectures:
            del value["architectures"]
        return value

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Evaluation":
        """Read what `to_dict` made."""
        curves = {
            name: Curve([Point(**point) for point in curve["points"]], curve["area"])
            for name, curve in value["curves"].items()
        }
        shared = value["area_range"]
        return cls(**{**value, "curves": curves, "area_range": None if shared is None else (shared[0], shared[1])})


def read_evaluation(path: Path) -> Evaluation:
    """The evaluation in a file; LecoError where it is missing, broken or another version's."""
    value = read_json(path)
    try:
        return Evaluation.from_dict(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise LecoError(f"'{path}' is not an evaluation that this version reads ({error}). Evaluate again.") from error
