"""Scores of predictions against labels: the higher the better, at most 1, mostly from 0 (correlations from -1).

Shapes: labels and predictions are [N], integers or for a regression floats, and [N, K] of 0 and 1 for many labels.
"""

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ConstantInputWarning, pearsonr, spearmanr
from sklearn.metrics import accuracy_score, d2_absolute_error_score, f1_score, matthews_corrcoef, r2_score

from leco.data.types import Array, TextData
from leco.errors import LecoError
from leco.options import naming
from leco.problems import PROBLEMS, Problem
from leco.registry import Registry
from leco.renamed import warn_of


def score(metric: str, labels: ArrayLike, predictions: ArrayLike, groups: ArrayLike | None = None) -> float:
    """The `metric`, one of `METRICS`, of `labels` and `predictions`, both [N] or [N, K]; the higher, the better.

    With `groups` [N] it is the mean over the groups of each one's score. What is undefined, such as the correlation
    with constant predictions or of a single row, is 0. LecoError if the metric is unknown, ValueError if there are no
    rows or the shapes differ.

    >>> score("accuracy", [1, 0, 1, 1], [1, 0, 0, 1])
    0.75
    """
    compute = METRICS[metric]
    truth, answer = np.asarray(labels), np.asarray(predictions)
    if truth.shape != answer.shape or not len(truth):
        raise ValueError(f"labels {truth.shape} and predictions {answer.shape} must have one shape, and rows")
    group = np.zeros(len(truth)) if groups is None else np.asarray(groups)
    parts = [group == name for name in np.unique(group)]
    return float(np.mean([compute(truth[part], answer[part]) for part in parts]))


def predictions_of(problem_type: str, scores: ArrayLike) -> Array:
    """The former name of `leco.problems.PROBLEMS[problem_type].predictions(scores)`."""
    warn_of("leco.data.predictions_of", "leco.problems.PROBLEMS[...].predictions")
    return PROBLEMS[problem_type].predictions(np.asarray(scores))


def accuracy(labels: Array, predictions: Array) -> float:
    """The share of equal rows."""
    return float(accuracy_score(labels, predictions))


def accuracy_f1(labels: Array, predictions: Array) -> float:
    """The mean of accuracy and of the F1 of label 1, for two labels."""
    return float(accuracy_score(labels, predictions) + f1_score(labels, predictions, zero_division=0)) / 2


def f1(labels: Array, predictions: Array) -> float:
    """F1 of label 1, for two labels."""
    return float(f1_score(labels, predictions, zero_division=0))


def f1_macro(labels: Array, predictions: Array) -> float:
    """The mean of the F1 of each label that there is, in labels or predictions."""
    return float(f1_score(labels, predictions, labels=counted_labels(labels), average="macro", zero_division=0))


def f1_micro(labels: Array, predictions: Array) -> float:
    """F1 over all entries of many labels."""
    return float(f1_score(labels, predictions, labels=counted_labels(labels), average="micro", zero_division=0))


def counted_labels(labels: Array) -> list[int] | None:
    """What scikit-learn is to count of labels [N] or [N, K]: all (None), but of one column, [N, 1], its 1 alone.

    A single column is two classes there, of which 0 would be "has it not".
    """
    return [1] if labels.ndim == 2 and labels.shape[1] == 1 else None


def matthews(labels: Array, predictions: Array) -> float:
    """Matthews correlation, for any number of labels."""
    return float(matthews_corrcoef(labels, predictions))


def pearson_spearman(labels: Array, predictions: Array) -> float:
    """The mean of the correlation of the values and that of their ranks; 0 for less than two rows."""
    if len(labels) < 2:
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        correlations = [pearsonr(labels, predictions)[0], spearmanr(labels, predictions)[0]]
    return float(np.mean(np.nan_to_num(correlations)))


def r2(labels: Array, predictions: Array) -> float:
    """`1 - sum (y - p)^2 / sum (y - mean)^2`: highest where the root mean squared error is lowest."""
    return _explained(r2_score, labels, predictions)


def d2_absolute_error(labels: Array, predictions: Array) -> float:
    """`1 - sum |y - p| / sum |y - median|`: highest where the mean absolute error is lowest."""
    return _explained(d2_absolute_error_score, labels, predictions)


def _explained(compute: Callable[[Array, Array], float], labels: Array, predictions: Array) -> float:
    """A share of what varies that is explained; 0 for constant labels, of which less than two rows are a case."""
    if np.ptp(labels) == 0:
        return 0.0
    return float(compute(labels.astype(np.float64), predictions.astype(np.float64)))


def metrics_of(problem: Problem, num_outputs: int) -> list[str]:
    """The names of the metrics that are defined for a kind of `problem` with K outputs; the first is its default.

    >>> metrics_of(PROBLEMS["regression"], num_outputs=1)
    ['r2', 'pearson_spearman', 'd2_absolute_error']
    """
    return [name for name in problem.metrics if num_outputs == 2 or name not in OF_TWO_LABELS]


def with_metric(data: TextData, metric: str | None) -> TextData:
    """The data with the metric of this name as theirs, if one is given; LecoError where it is not defined for them."""
    if metric is None:
        return data
    with naming("metric"):
        name = METRICS.name(metric)
        if name not in (known := metrics_of(data.problem, data.num_outputs)):
            kind = f"a {data.problem_type} with {data.num_outputs} outputs"
            raise LecoError(f"'{metric}' is not defined for {kind}. Known: {', '.join(known)}.")
    return data if name == data.metric else replace(data, metric=name)


OF_TWO_LABELS = (f1.__name__, accuracy_f1.__name__)
"""Those that are about label 1, the second of two."""

DEFINED = (accuracy, accuracy_f1, f1, f1_macro, f1_micro, matthews, pearson_spearman, r2, d2_absolute_error)
ALSO = {"macro-f1": "f1_macro", "micro-f1": "f1_micro", "rmse": "r2", "mae": "d2_absolute_error"}
"""Other names. Errors, of which less is better, stand for the scores that are highest where they are lowest."""

METRICS: Registry[Callable[[Array, Array], float]] = Registry(
    "metric",
    {metric.__name__: metric for metric in DEFINED},
    {metric.__name__.replace("_", "-"): metric.__name__ for metric in DEFINED if "_" in metric.__name__} | ALSO,
)
"""The metrics by the names that the setting `metric` takes; each is a function of predictions and labels."""
