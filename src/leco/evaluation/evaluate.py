"""A model's evaluation on a task: every exit, the chosen criterion, what it gains, and the curves of criteria."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from leco.criteria import CRITERIA, Criterion, Oracle, Task, as_criterion
from leco.data import DataSource, Encoding, Split, TextData
from leco.errors import LecoError, parameter
from leco.evaluation.bound import bound
from leco.evaluation.contest import Contest, hold_contest, kinds_named
from leco.evaluation.counts import counts, counts_by_label
from leco.evaluation.curve import Curve, area, common_range, curve, operating_points
from leco.evaluation.data import data_for
from leco.evaluation.deciding import evaluate_decisions
from leco.evaluation.detail import detail
from leco.evaluation.result import Evaluation
from leco.evaluation.scores import Stored, exit_outputs
from leco.evaluation.speedup import OperatingPoint, Speedup, measure_speedups
from leco.evaluation.tokens import tokenized, tokens
from leco.evaluation.trust import trust_by_exit
from leco.exits.architecture import MHA, Architecture
from leco.loading import as_predictor
from leco.options import fill, naming, taking
from leco.progress import progress_bar, say
from leco.runtime import GivesAllExits, Predictor
from leco.settings import TimingOptions


def stored_outputs(
    predictor: GivesAllExits, split: Split, encodings: Sequence[Encoding], metric: str, name: str
) -> Stored:
    """Run all exits on a split, tokenized as `encodings`, and store their outputs."""
    with progress_bar(f"running all exits on {name}", len(encodings)) as advance:
        scores, observed = exit_outputs(predictor, encodings, on_batch=advance)
    return Stored(scores, split, metric, predictor.task.problem_type, observed, predictor.task.exit_layers)


def compete(model: Predictor, data: TextData, criteria: Sequence[type[Criterion]], max_drop: float) -> Contest:
    """The contest on the dev split of `data` of those of the `criteria` that are defined for the `model`'s problem.

    The one that saves most layers wins, unless a simpler one surely saves as much, each with its fastest setting whose
    score is at most `max_drop` under full depth's. LecoError where none is defined for the problem, where there are no
    dev rows, and where `model` does not give what every exit says.
    """
    return hold_contest(*outputs_to_choose_by(model, data, criteria), model.task, max_drop)


def outputs_to_choose_by(
    model: Predictor, data: TextData, criteria: Sequence[type[Criterion]]
) -> tuple[list[type[Criterion]], Stored]:
    """Those of some kinds of criteria that are defined for the problem, and what every exit says on dev.

    LecoError where there is none, or where the predictor does not give what every exit says, from which is chosen.
    """
    applicable = applicable_criteria(model)
    kinds = [kind for kind in criteria if kind.name in applicable]
    if not kinds:
        criteria[0]().check(model.task)
    if not isinstance(model, GivesAllExits):
        raise LecoError(
            f"The settings of '{kinds[0].name}' are chosen with what every exit says, which cannot be had here: write "
            f"them, as in '{kinds[0]()}', or give the model's folder."
        )
    if not len(data.dev):
        raise LecoError(
            f"There are no dev rows on which the settings of '{kinds[0].name}' could be chosen: write them, as in "
            f"'{kinds[0]()}', or give {parameter('data')} with a dev split."
        )
    return kinds, stored_outputs(model, data.dev, tokens(model, data.dev), data.metric, "dev")


def choose_criterion(model: Predictor, data: TextData, criterion: type[Criterion] | str, max_drop: float) -> Criterion:
    """The setting of a kind of `criterion`, or of that of this name, that is chosen on dev; of "auto", the criterion.

    `model`, `data` and `max_drop` are those of `compete`. LecoError as there, and for an unknown name.
    """
    kinds = kinds_named(criterion) if isinstance(criterion, str) else (criterion,)
    return compete(model, data, kinds, max_drop).criterion


def applicable_criteria(model: Predictor) -> list[str]:
    """The names of the criteria that such a model can use: those defined for its kind of problem.

    >>> import leco
    >>> "oracle" in applicable_criteria(leco.load("reviews-model/model.onnx"))  # which would need the labels
    False
    """
    return [name for name, one in CRITERIA.items() if one.deployable and model.task.problem_type in one.problem_types]


@taking(TimingOptions())
def evaluate(
    model: Predictor | str | Path,
    data: TextData | DataSource,
    *,
    criterion: Criterion | str | None = None,
    criteria: Sequence[str] | None = None,
    **options: Any,
) -> Evaluation:
    """Evaluate a predictor with one criterion on the test split, and with all settings of other criteria.

    Where it does not give what every exit says (`GivesAllExits`), the latter and the exits' own scores are missing.

    >>> import leco
    >>> model = leco.load("reviews-model", device="cpu")
    >>> found = leco.evaluate(model, "new-reviews.csv", criterion="entropy:tau=0.1", repeats=1, timed_texts=5)
    >>> found.metric, found.rows, len(found.exit_scores), 0 <= found.score <= 1
    ('accuracy', 160, 3, True)

    Args:
        model: a model, an exported file or any other predictor, which stays as it is; or the path of one, as
            `leco.load` takes it.
        data: a data set whose labels are numbered as the predictor's (`align_labels`), or what `data_for` makes one of:
            a path, a name, a DataFrame, a `datasets.Dataset`.
        criterion: by what texts leave, as an object or written as `parse_criterion` reads it; by default the
            predictor's own.
        criteria: the names of those whose curves are wanted, and beside them the oracle's; with measured speedups or,
            without `time_curves`, in shares of layers, which takes no time. None: the criterion's own curve in these.
        options: how speedups are measured, by really exiting, on some texts of the test split.

    Raises:
        LecoError: where there is no model, and for a criterion that is unknown, needs the labels or is not defined
            for the model.

    """
    timing = fill(TimingOptions(), options, strict=True)
    model = as_predictor(model)
    with naming("criterion"):
        criterion = as_criterion(criterion, model.criterion)
        criterion.check(model.task)
    data = tokenized(data if isinstance(data, TextData) else data_for(model, data), model)
    if isinstance(model, GivesAllExits):
        return _evaluate_exits(model, data, criterion, timing, criteria)
    return evaluate_decisions(model, data, criterion, timing)


def _evaluate_exits(
    predictor: GivesAllExits,
    data: TextData,
    criterion: Criterion,
    timing: TimingOptions,
    criteria: Sequence[str] | None,
) -> Evaluation:
    """The evaluation of a predictor that gives what every exit says."""
    task, encodings = predictor.task, tokens(predictor, data.test)
    test = stored_outputs(predictor, data.test, encodings, data.metric, "test")
    decisions = predictor.decide(encodings, criterion, batch_size=32)
    dev = dev_outputs(predictor, data)
    on_dev = {} if dev is None else dev_results(dev, criterion, task)
    chosen = OperatingPoint.by(criterion, on_dev.get("score", nan), decisions.exit_layers)
    kinds = [type(criterion)] if criteria is None else [CRITERIA[name] for name in criteria]
    by_name = {} if dev is None else {kind.name: operating_points(kind, dev, test, task) for kind in kinds}
    if criteria is not None and dev is not None:
        by_name[Oracle.name] = bound(dev, test, task)
    measured = criteria is not None and timing.time_curves
    every = [point for some in by_name.values() for point in some] if measured else []
    speedup, *others = measure_speedups(predictor, encodings, [chosen, *every], timing.repeats, timing.timed_texts)
    curves, shared = compared_curves(by_name, others if measured else None, test, task)
    by_exit = test.by_exit()
    exits = predictor.exit_architectures
    learned = any(isinstance(one, Architecture) and one != MHA for one in exits)
    return Evaluation(
        data=data.name,
        metric=data.metric,
        rows=len(data.test),
        fingerprint=data.test.fingerprint,
        exit_scores=by_exit,
        exit_layers=task.named_layers,
        avg=float(np.mean(by_exit)),
        best=max(by_exit),
        full_depth_score=by_exit[-1],
        criterion=criterion.to_dict(),
        score=test.score_of(decisions.scores),
        **speedup.to_dict(),
        mean_exit_layer=float(decisions.exit_layers.mean()),
        exit_layer_counts=counts(decisions.exit_layers, task),
        exit_layer_counts_by_label=counts_by_label(data.test, predictor, decisions.exit_layers),
        dev=on_dev,
        curves=curves,
        area_range=shared,
        detail=detail(task.problem, data.test, decisions.scores, predictor.label_names),
        trust=trust_by_exit(task.problem, test.scores, data.test.labels),
        architectures=[architecture.to_dict() for architecture in exits] if learned else [],
    )


def dev_outputs(predictor: GivesAllExits, data: TextData) -> Stored | None:
    """The outputs of all exits on dev; None, with a line, where there are no dev rows."""
    if not len(data.dev):
        say("There are no dev rows: settings cannot be chosen on them, so that there are no curves.")
        return None
    return stored_outputs(predictor, data.dev, tokens(predictor, data.dev), data.metric, "dev")


def dev_results(dev: Stored, criterion: Criterion, task: Task) -> dict[str, Any]:
    """The exits' scores on dev, and the score and mean exit layer there with the criterion."""
    layers = dev.exit_layers(criterion, task)
    return {"exit_scores": dev.by_exit(), "score": dev.at(layers), "mean_exit_layer": float(layers.mean())}


def compared_curves(
    by_name: Mapping[str, Sequence[OperatingPoint]], speedups: Sequence[Speedup] | None, test: Stored, task: Task
) -> tuple[dict[str, Curve], tuple[float, float] | None]:
    """The curve of each criterion, through its points with their speedups in order, and the range of the areas.

    It is the range of savings that all criteria's curves share; the oracle's does not narrow it. There is none where
    there is nothing to compare.
    """
    left = None if speedups is None else iter(speedups)
    points = {
        name: curve(some, test, task, None if left is None else [next(left) for _ in some])
        for name, some in by_name.items()
        if some
    }
    compared = [some for name, some in points.items() if name != Oracle.name]
    shared = common_range(compared) if Oracle.name in by_name else None
    return {name: Curve(some, area(some, *shared) if shared else None) for name, some in points.items()}, shared
