"""The evaluation of a predictor that gives nothing but decisions, such as an exported file."""

from math import nan

import numpy as np

from leco.criteria import Criterion
from leco.data import Split, TextData, score
from leco.evaluation.counts import counts, counts_by_label
from leco.evaluation.curve import Curve, Point
from leco.evaluation.detail import detail
from leco.evaluation.result import Evaluation
from leco.evaluation.speedup import OperatingPoint, measure_speedups
from leco.evaluation.tokens import tokens
from leco.progress import progress_bar
from leco.runtime import Decisions, Predictor
from leco.settings import TimingOptions

LACKS = (
    "What every exit says cannot be had of it, so that the exits' own scores, other settings' curves and the oracle's "
    "bound are missing, and time is compared to the same model with no text leaving: evaluate the model's folder."
)


def evaluate_decisions(predictor: Predictor, data: TextData, criterion: Criterion, timing: TimingOptions) -> Evaluation:
    """Evaluate one criterion on test and dev; see `leco.evaluation.evaluate`. The scores of exits are missing."""
    test = _run(predictor, data.test, criterion, "test")
    full_depth = _run(predictor, data.test, predictor.full_depth, "test at full depth")
    test_score, full_depth_score = (score_of(predictor, data.test, one, data.metric) for one in (test, full_depth))
    on_dev: dict[str, float] = {}
    if len(data.dev):
        dev = _run(predictor, data.dev, criterion, "dev")
        on_dev["score"] = score_of(predictor, data.dev, dev, data.metric)
        on_dev["mean_exit_layer"] = float(np.mean(dev.exit_layers))
    dev_score = on_dev.get("score", nan)
    chosen = OperatingPoint.by(criterion, dev_score, test.exit_layers)
    encodings = tokens(predictor, data.test)
    (speedup,) = measure_speedups(predictor, encodings, [chosen], timing.repeats, timing.timed_texts)
    mean = float(test.exit_layers.mean())
    point = Point(
        criterion.to_dict(),
        dev_score,
        test_score,
        mean,
        1 - mean / predictor.num_layers,
        speedup.speedup,
        speedup.factor,
    )
    return Evaluation(
        data=data.name,
        metric=data.metric,
        rows=len(data.test),
        fingerprint=data.test.fingerprint,
        exit_scores=[],
        avg=None,
        best=None,
        full_depth_score=full_depth_score,
        criterion=criterion.to_dict(),
        score=test_score,
        **speedup.to_dict(),
        mean_exit_layer=mean,
        exit_layer_counts=counts(test.exit_layers, predictor.task),
        exit_layer_counts_by_label=counts_by_label(data.test, predictor, test.exit_layers),
        dev=on_dev,
        curves={criterion.name: Curve([point])} if on_dev else {},
        detail=detail(predictor.problem, data.test, test.scores, predictor.label_names),
        lacks=LACKS,
        exit_layers=predictor.task.named_layers,
    )


def score_of(predictor: Predictor, split: Split, decisions: Decisions, metric: str) -> float:
    """The task's score of what was decided on a split."""
    return score(metric, split.labels, predictor.problem.predictions(decisions.scores), split.groups)


def _run(predictor: Predictor, split: Split, criterion: Criterion, name: str) -> Decisions:
    """The decisions on a split, each text alone: in "int8 by batch", texts of a batch share a range."""
    encodings = tokens(predictor, split)
    with progress_bar(f"answering {name}", len(encodings)) as advance:
        return predictor.decide(encodings, criterion, on_batch=advance)
