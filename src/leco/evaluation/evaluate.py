"""A model's evaluation on a task: every exit, the chosen criterion, and what it gains."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch

from leco.criteria import CRITERIA, Criterion
from leco.data import Encoding, Split, TextData, encode
from leco.errors import LecoError
from leco.evaluation.curve import curve
from leco.evaluation.scores import Stored, choose_setting, exit_outputs
from leco.evaluation.speedup import measure_speedup
from leco.exits.architecture import LINEAR, MHA
from leco.model import ModelStages, MultiExitModel
from leco.problems import REGRESSION, SINGLE_LABEL
from leco.progress import progress_bar
from leco.runtime import decide


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
        mean_exit_layer: the mean layer at which texts leave, counted from 1.
        exit_layer_counts: how many texts leave at each layer.
        dev: the same criterion on dev, and the exits' scores there.
        curve: the criterion's speedup-score curve, settings chosen on dev, in shares of layers saved.
        architectures: the exits', the first layer's first; empty where all are linear or MHA exits.

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
    mean_exit_layer: float
    exit_layer_counts: list[int]
    dev: dict[str, Any]
    curve: list[dict[str, Any]]
    architectures: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as a JSON object; `architectures` only where there are learned exits."""
        value = asdict(self)
        if not self.architectures:
            del value["architectures"]
        return value


def tokens(model: MultiExitModel, split: Split) -> list[Encoding]:
    """The tokens of a split's texts, as the model takes them."""
    return encode(model.tokenizer, split.texts, model.max_length)


def stored_outputs(
    model: MultiExitModel, split: Split, encodings: Sequence[Encoding], metric: str, name: str
) -> Stored:
    """Run all exits on a split, tokenized as `encodings`, and keep what they say."""
    with progress_bar(f"running all exits on {name}", len(encodings)) as advance:
        scores, doubts = exit_outputs(model, encodings, on_batch=advance)
    return Stored(scores, split, metric, model.config.problem_type, doubts)


def align_labels(data: TextData, model: MultiExitModel) -> TextData:
    """The data with its labels numbered as the model numbers them; LecoError where it has one the model lacks."""
    if data.problem_type != model.config.problem_type:
        raise LecoError(
            f"--data is a {data.problem_type}, but the model was trained for a {model.config.problem_type}."
        )
    names = model.config.label_names
    if data.problem_type == REGRESSION or list(data.label_names) == names:
        return data
    if unknown := sorted(set(data.label_names) - set(names)):
        raise LecoError(
            f"--data has the label '{unknown[0]}', which the model does not know. It knows: {', '.join(names)}."
        )
    position = np.array([names.index(name) for name in data.label_names])

    def renumber(split: Split) -> Split:
        if data.problem_type == SINGLE_LABEL:
            return replace(split, labels=position[split.labels])
        labels = np.zeros((len(split), len(names)), split.labels.dtype)
        labels[:, position] = split.labels
        return replace(split, labels=labels)

    train, dev, test = map(renumber, (data.train, data.dev, data.test))
    return replace(data, label_names=tuple(names), train=train, dev=dev, test=test)


def choose_criterion(model: MultiExitModel, data: TextData, criterion: str, max_drop: float) -> Criterion:
    """The setting of the named criterion that is chosen on dev; see `choose_setting`."""
    dev = stored_outputs(model, data.dev, tokens(model, data.dev), data.metric, "dev")
    return choose_setting(CRITERIA[criterion], dev, model.task, max_drop).criterion


@torch.inference_mode()
def evaluate(model: MultiExitModel, data: TextData, *, repeats: int = 10, timed_texts: int | None = None) -> Evaluation:
    """Evaluate a model with its chosen criterion on the test split.

    The speedup is measured by really exiting, on the first `timed_texts` texts of the test split (None: all).
    """
    criterion = model.config.criterion
    encodings = tokens(model, data.test)
    dev = stored_outputs(model, data.dev, tokens(model, data.dev), data.metric, "dev")
    test = stored_outputs(model, data.test, encodings, data.metric, "test")
    decisions = decide(ModelStages(model), encodings, criterion, batch_size=32)
    speedup = measure_speedup(model, encodings[:timed_texts], criterion, repeats)
    by_exit = test.by_exit()
    exits = model.config.exits
    learned = not set(exits) <= {LINEAR, MHA}
    dev_layers = dev.exit_layers(criterion, model.task)
    return Evaluation(
        data=data.name,
        metric=data.metric,
        rows=len(data.test),
        exit_scores=by_exit,
        avg=float(np.mean(by_exit)),
        best=max(by_exit),
        full_depth_score=by_exit[-1],
        criterion=criterion.to_dict(),
        score=test.score_of(decisions.scores),
        speedup=speedup.speedup,
        speedup_factor=speedup.factor,
        speedup_repeats=speedup.repeats,
        mean_exit_layer=float(decisions.exit_layers.mean()),
        exit_layer_counts=np.bincount(decisions.exit_layers, minlength=model.task.num_layers + 1)[1:].tolist(),
        dev={
            "exit_scores": dev.by_exit(),
            "score": dev.at(dev_layers),
            "mean_exit_layer": float(dev_layers.mean()),
        },
        curve=[asdict(point) for point in curve(type(criterion), dev, test, model.task)],
        architectures=[architecture.to_dict() for architecture in exits] if learned else [],
    )
