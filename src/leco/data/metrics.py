"""Scores of predictions against labels, as numbers from 0 to 1 (correlations from -1).

Shapes: labels and predictions are [N], integers or for a regression floats, and [N, K] of 0 and 1 for many labels.
"""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ConstantInputWarning, pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from leco.data.types import Array
from leco.errors import unknown_name
from leco.problems import PROBLEMS


def score(metric: str, labels: ArrayLike, predictions: ArrayLike, groups: ArrayLike | None = None) -> float:
    """The metric, one of `METRICS`; with `groups` [N] the mean over the groups of each one's score.

    What is undefined, such as the correlation with constant predictions or of a single row, is 0. LecoError if the
    metric is unknown, ValueError if there are no rows or the shapes differ.
    """
    if metric not in METRICS:
        raise unknown_name("metric", metric, METRICS)
    truth, answer = np.asarray(labels), np.asarray(predictions)
    if truth.shape != answer.shape or not len(truth):
        raise ValueError(f"labels {truth.shape} and predictions {answer.shape} must have one shape, and rows")
    group = np.zeros(len(truth)) if groups is None else np.asarray(groups)
    parts = [group == name for name in np.unique(group)]
    return float(np.mean([METRICS[metric](truth[part], answer[part]) for part in parts]))


def predictions_of(problem_type: str, scores: ArrayLike) -> Array:
    """The former name of `leco.problems.PROBLEMS[problem_type].predictions(scores)`."""
    message = "leco.data.predictions_of is now leco.problems.PROBLEMS[...].predictions; the old name will go."
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return PROBLEMS[problem_type].predictions(np.asarray(scores))


def accuracy(labels: Array, predictions: Array) -> float:
    """The share of equal rows."""
    return float(accuracy_score(labels, predictions))


def accuracy_f1(labels: Array, predictions: Array) -> float:
    """The mean of accuracy and of the F1 of label 1, for two labels."""
    return float(accuracy_score(labels, predictions) + f1_score(labels, predictions, zero_division=0)) / 2


def f1_micro(labels: Array, predictions: Array) -> float:
    """F1 over all entries of many labels."""
    return float(f1_score(labels, predictions, average="micro", zero_division=0))


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


METRICS: dict[str, Callable[[Array, Array], float]] = {
    metric.__name__: metric for metric in (accuracy, accuracy_f1, f1_micro, matthews, pearson_spearman)
}
