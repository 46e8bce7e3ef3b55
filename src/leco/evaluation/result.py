"""What an evaluation finds, as it is written and read."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from leco.criteria import Task, criterion_from_dict, first_counted
from leco.errors import LecoError
from leco.evaluation.curve import Curve
from leco.evaluation.detail import Detail
from leco.evaluation.trust import Trust
from leco.exits.architecture import architecture_from_dict
from leco.files import read_json
from leco.shapes import changed, checked


@dataclass(frozen=True)
class Evaluation:
    """What is reported of a model on a test set. Scores are the task's, from 0 to 1 (correlations from -1).

    Attributes:
        data, metric, rows: the name of the texts, that of their score (`leco.data.METRICS`), and how many there are.
        exit_scores: the score of each exit on all texts, the lowest layer's first; empty where they cannot be had.
        avg, best: their mean and maximum, or None.
        full_depth_score: the last exit's.
        criterion: name and settings of the exit criterion, chosen on dev.
        score: the score when texts leave by it.
        speedup, speedup_factor: measured at batch size 1 against full depth, medians of the repeats: the share of the
            time saved, `1 - sum t_i / sum T_i` over the timed texts i, and the factor `sum T_i / sum t_i`.
        speedup_repeats: the share of each repeat.
        timed_texts: on how many texts.
        seconds, full_depth_seconds: the mean time of a text there.
        mean_exit_layer: the mean layer at which texts leave; 0 is the embeddings.
        exit_layer_counts: how many texts leave at each layer [M]; the embeddings come first where they have an exit.
        exit_layer_counts_by_label: the same for the texts with each label.
        dev: the same criterion on dev, and the exits' scores there; empty where there are no dev rows.
        curves: criteria's speedup-score curves by name, settings chosen on dev; "oracle" is the bound. None where
            there are no dev rows.
        area_range: the smallest and largest saving that all criteria's curves reach, between which areas are taken:
            measured speedups or, where the curves have none, shares of layers. None where no range is shared.
        architectures: the exits', the lowest layer's first; empty where none is learned.
        detail: all scores, errors, those of each label and the confusion of labels, by the criterion; None in files of
            former versions.
        trust: whether each exit's confidence tells right answers from wrong ones; empty for a regression and where
            exits' scores are.
        lacks: a sentence about what could not be had of the predictor; empty where all could.
        exit_layers: the layers of the exits; empty where each layer has one.
        fingerprint: the hash of texts and labels (`Split.fingerprint`); empty in files of former versions.

    """

    data: str
    metric: str
    rows: int
    exit_scores: list[float]
    avg: float | None
    best: float | None
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
    detail: Detail | None = None
    trust: list[Trust] = field(default_factory=list)
    lacks: str = ""
    exit_layers: list[int] = field(default_factory=list)
    fingerprint: str = ""

    @property
    def layers_with_exits(self) -> list[int]:
        """The layers of the exits, counted from 1; 0 is the embeddings."""
        return self.exit_layers or list(self.counted_layers)

    @property
    def counted_layers(self) -> range:
        """The layers of `exit_layer_counts`."""
        first = first_counted(self.exit_layers)
        return range(first, first + len(self.exit_layer_counts))

    @property
    def leaving(self) -> list[int]:
        """How many texts leave at each of the `layers_with_exits`."""
        return [self.exit_layer_counts[self.counted_layers.index(layer)] for layer in self.layers_with_exits]

    @property
    def measured(self) -> bool:
        """Whether curves have measured speedups, not shares of layers."""
        return any(one.measured for one in self.curves.values())

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as a JSON object; what may be empty, and is, is left out of it."""
        value = asdict(self)
        value["area_range"] = None if self.area_range is None else list(self.area_range)
        for name in ("architectures", "detail", "trust", "lacks", "exit_layers", "fingerprint"):
            if not value[name]:
                del value[name]
        return value

    @classmethod
    def from_dict(cls, value: Any, where: str) -> "Evaluation":
        """What `to_dict` made, in `where`; LecoError where it is of another shape."""
        found = checked(cls, value, where)
        on_dev = checked(dict[str, float | list[float]], found.dev, where).get("exit_scores", found.exit_scores)
        layers = found.counted_layers
        if isinstance(on_dev, float):
            raise changed(where, "dev.exit_scores: it is no list")
        counted = all(len(counts) == len(layers) for counts in found.exit_layer_counts_by_label.values())
        by_exit = (found.exit_scores, on_dev, found.trust, found.architectures)
        scored = all(len(one) in (0, len(found.layers_with_exits)) for one in by_exit)
        if layers.stop < 2 or not counted or not scored or bool(found.exit_scores) == bool(found.lacks):
            raise changed(where, "it counts texts on other layers than have scores")
        if not all(one.points for one in found.curves.values()):
            raise changed(where, "a curve has no points")
        try:
            Task(1, layers[-1], exit_layers=tuple(found.exit_layers))
            criterion_from_dict(found.criterion)
            for architecture in found.architectures:
                architecture_from_dict(architecture)
        except LecoError as error:
            raise changed(where, str(error)) from error
        return found


def read_evaluation(path: Path) -> Evaluation:
    """The evaluation in the file at `path`, in JSON; LecoError where it is missing, broken or another version's."""
    return Evaluation.from_dict(read_json(path), f"'{path}'")
