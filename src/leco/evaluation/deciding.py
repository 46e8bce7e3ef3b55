"""The evaluation of a predictor that gives nothing but decisions, such as an exported file."""

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
    dev = _run(predictor, data.dev, criterion, "dev")
    test = _run(predictor, data.test, criterion, "test")
    full_depth = _run(predictor, data.test, predictor.full_depth, "test at full depth")
    dev_score, test_score, full_depth_score = (
        score(data.metric, split.labels, predictor.problem.predictions(one.scores), split.groups)
        for split, one in ((data.dev, dev), (data.test, test), (data.test, full_depth))
    )
    chosen = OperatingPoint.by(criterion, dev_score, test.exit_layers)
    encodings = tokens(predictor, data.test)[: timing.timed_texts]
    (speedup,) = measure_speedups(predictor, encodings, [chosen], timing.repeats)
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
        exit_scores=[],
        avg=None,
        best=None,
        full_depth_score=full_depth_score,
        criterion=criterion.to_dict(),
        score=test_score,
        **speedup.to_dict(),
        mean_exit_layer=mean,
        exit_layer_counts=counts(test.exit_layers, predictor.num_layers),
        exit_layer_counts_by_label=counts_by_label(data.test, predictor, test.exit_layers),
        dev={"score": dev_score, "mean_exit_layer": float(np.mean(dev.exit_layers))},
        curves={criterion.name: Curve([point])},
        detail=detail(predictor.problem, data.test, test.scores, predictor.label_names),
        lacks=LACKS,
    )


def _run(predictor: Predictor, split: Split, criterion: Criterion, name: str) -> Decisions:
    """The decisions on a split, each text alone: in int8, texts of a batch would share a range."""
    encodings = tokens(predictor, split)
    with progress_bar(f"answering {name}", len(encodings)) as advance:
        return predictor.decide(encodings, criterion, on_batch=advance)
