"""A model's evaluation on a task: every exit, the chosen criterion, what it gains, and the curves of criteria."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from leco.criteria import CRITERIA, Criterion, Oracle, as_criterion
from leco.data import Encoding, Split, TextData, encode
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.evaluation.bound import bound
from leco.evaluation.curve import Curve, area, common_range, curve, operating_points
from leco.evaluation.result import Evaluation
from leco.evaluation.scores import Array, Stored, choose_setting, exit_outputs
from leco.evaluation.speedup import OperatingPoint, Speedup, measure_speedups
from leco.exits.architecture import MHA, Architecture
from leco.model import ModelStages, MultiExitModel
from leco.options import fill, naming, taking
from leco.progress import progress_bar
from leco.runtime import decide
from leco.settings import TimingOptions


def tokens(model: MultiExitModel, split: Split) -> list[Encoding]:
    """The tokens of a split's texts, as the model takes them."""
    return encode(model.tokenizer, split.texts, model.max_length)


def stored_outputs(
    model: MultiExitModel, split: Split, encodings: Sequence[Encoding], metric: str, name: str
) -> Stored:
    """Run all exits on a split, tokenized as `encodings`, and store their outputs."""
    with progress_bar(f"running all exits on {name}", len(encodings)) as advance:
        scores, doubts = exit_outputs(model, encodings, on_batch=advance)
    return Stored(scores, split, metric, model.config.problem_type, doubts)


def align_labels(data: TextData, model: MultiExitModel) -> TextData:
    """The data with its labels numbered as the model numbers them; LecoError where it has one the model lacks."""
    if data.problem_type != model.config.problem_type:
        raise LecoError(
            f"{parameter('data')} is a {data.problem_type}, "
            f"but the model was trained for a {model.config.problem_type}."
        )
    names = model.config.label_names
    if not data.problem.has_names or list(data.label_names) == names:
        return data
    if unknown := sorted(set(data.label_names) - set(names)):
        raise LecoError(
            f"{parameter('data')} has the label '{shortened(unknown[0])}', which the model does not know. "
            f"It knows: {listed(names)}."
        )
    places = np.array([names.index(name) for name in data.label_names])

    def renumber(split: Split) -> Split:
        return replace(split, labels=data.problem.renumber(split.labels, places, len(names)))

    train, dev, test = map(renumber, (data.train, data.dev, data.test))
    return replace(data, label_names=tuple(names), train=train, dev=dev, test=test)


def choose_criterion(
    model: MultiExitModel, data: TextData, criterion: type[Criterion] | str, max_drop: float
) -> Criterion:
    """The setting of a kind of criterion, or of that of this name, that is chosen on dev; see `choose_setting`."""
    kind = CRITERIA[criterion] if isinstance(criterion, str) else criterion
    dev = stored_outputs(model, data.dev, tokens(model, data.dev), data.metric, "dev")
    return choose_setting(kind, dev, model.task, max_drop).criterion


def applicable_criteria(model: MultiExitModel) -> list[str]:
    """The names of the criteria that this model can use: those defined for its kind of problem."""
    return [name for name, one in CRITERIA.items() if one.deployable and model.task.problem_type in one.problem_types]


@taking(TimingOptions())
@torch.inference_mode()
def evaluate(
    model: MultiExitModel,
    data: TextData,
    *,
    criterion: Criterion | str | None = None,
    criteria: Sequence[str] | None = None,
    **options: Any,
) -> Evaluation:
    """Evaluate a model with a criterion on the test split, and with all settings of other criteria.

    Args:
        model: the model, which stays as it is.
        data: the data, with labels numbered as the model's (`align_labels`).
        criterion: by what texts leave, as an object or written as `parse_criterion` reads it; by default the one chosen
            for the model, `model.config.criterion`.
        criteria: the names of those whose curves are wanted with measured speedups, and beside them the oracle's.
            None: the criterion's own curve, in shares of layers, which takes no time.
        options: how speedups are measured, by really exiting, on the first texts of the test split.

    Raises:
        LecoError: for a criterion that is unknown, needs the labels or is not defined for the model.

    """
    timing = fill(TimingOptions(), options, strict=True)
    with naming("criterion"):
        criterion = as_criterion(criterion, model.config.criterion)
        criterion.check(model.task)
    encodings = tokens(model, data.test)
    dev = stored_outputs(model, data.dev, tokens(model, data.dev), data.metric, "dev")
    test = stored_outputs(model, data.test, encodings, data.metric, "test")
    decisions = decide(ModelStages(model), encodings, criterion, batch_size=32)
    dev_layers = dev.exit_layers(criterion, model.task)
    chosen = OperatingPoint.by(criterion, dev.at(dev_layers), decisions.exit_layers)
    names = [criterion.name] if criteria is None else criteria
    by_name = {name: operating_points(CRITERIA[name], dev, test, model.task) for name in names}
    if criteria is None:
        (speedup,) = measure_speedups(model, encodings[: timing.timed_texts], [chosen], timing.repeats)
        curves = {name: Curve(curve(some, test, model.task)) for name, some in by_name.items()}
        shared = None
    else:
        by_name[Oracle.name] = bound(dev, test, model.task)
        every = [chosen, *(point for some in by_name.values() for point in some)]
        speedup, *others = measure_speedups(model, encodings[: timing.timed_texts], every, timing.repeats)
        curves, shared = measured_curves(by_name, others, test, model)
    by_exit = test.by_exit()
    exits = model.config.exits
    learned = any(isinstance(one, Architecture) and one != MHA for one in exits)
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
        timed_texts=speedup.texts,
        seconds=speedup.seconds,
        full_depth_seconds=speedup.full_depth_seconds,
        mean_exit_layer=float(decisions.exit_layers.mean()),
        exit_layer_counts=counts(decisions.exit_layers, model.task.num_layers),
        exit_layer_counts_by_label=counts_by_label(data.test, model, decisions.exit_layers),
        dev={
            "exit_scores": dev.by_exit(),
            "score": chosen.dev_score,
            "mean_exit_layer": float(dev_layers.mean()),
        },
        curves=curves,
        area_range=shared,
        architectures=[architecture.to_dict() for architecture in exits] if learned else [],
    )


def measured_curves(
    by_name: Mapping[str, Sequence[OperatingPoint]], speedups: Sequence[Speedup], test: Stored, model: MultiExitModel
) -> tuple[dict[str, Curve], tuple[float, float] | None]:
    """The curve of each criterion, through its points with their speedups in order, and the range of the areas.

    It is the range that all criteria's curves share; the oracle's does not narrow it.
    """
    left = iter(speedups)
    points = {name: curve(some, test, model.task, [next(left) for _ in some]) for name, some in by_name.items() if some}
    shared = common_range(some for name, some in points.items() if name != Oracle.name)
    return {name: Curve(some, area(some, *shared) if shared else None) for name, some in points.items()}, shared


def counts(exit_layers: Array, num_layers: int) -> list[int]:
    """How many texts leave at each layer."""
    return np.bincount(exit_layers, minlength=num_layers + 1)[1:].tolist()


def counts_by_label(split: Split, model: MultiExitModel, exit_layers: Array) -> dict[str, list[int]]:
    """How many texts with each label leave at each layer; a text with many labels counts for each of them.

    Empty for a regression.
    """
    task = model.task
    if not task.problem.has_names:
        return {}
    return {
        name: counts(exit_layers[task.problem.has_label(split.labels, index)], task.num_layers)
        for index, name in enumerate(model.config.label_names)
    }
