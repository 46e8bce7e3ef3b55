"""More than one number of what texts leave with: all scores, those of each label, and what is taken for what.

Shapes: N texts, K labels.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    confusion_matrix,
    mean_absolute_error,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
    root_mean_squared_error,
)

from leco.data import Split, metrics_of, score
from leco.data.metrics import counted_labels
from leco.problems import Problem

MOST_LABELS = 100
"""With more, what is taken for what is not counted."""


@dataclass(frozen=True)
class LabelScores:
    """Precision, recall and F1 of a label, and its support: how many texts have it."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Detail:
    """What is reported beside the task's score.

    Attributes:
        metrics: all scores that are defined for the kind of problem, by name.
        errors: of a regression, "mae" and "rmse": the mean absolute and the root mean squared error, in the unit of the
            values; less is better.
        by_label: the scores of each label; empty for a regression.
        confusion: how many texts of label i (rows) are given label j, [K, K]; where a text may have many labels, one
            matrix of "has it not" and "has it" for each, [K, 2, 2]. Empty beyond 100 labels, and for a regression.

    """

    metrics: dict[str, float]
    errors: dict[str, float] = field(default_factory=dict)
    by_label: dict[str, LabelScores] = field(default_factory=dict)
    confusion: list[Any] = field(default_factory=list)


def detail(problem: Problem, split: Split, scores: NDArray[Any], names: list[str]) -> Detail:
    """The detail of scores [N, K], whose outputs have the `names` [K], on a split."""
    labels, predictions = split.labels, problem.predictions(scores)
    metrics = {one: score(one, labels, predictions, split.groups) for one in metrics_of(problem, len(names))}
    if not problem.has_names:
        pair = labels.astype(np.float64), predictions.astype(np.float64)
        return Detail(
            metrics, {"mae": float(mean_absolute_error(*pair)), "rmse": float(root_mean_squared_error(*pair))}
        )
    numbers = counted_labels(labels) or list(range(len(names)))
    columns = precision_recall_fscore_support(labels, predictions, labels=numbers, zero_division=0)
    by_label = {
        name: LabelScores(float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(names, *columns, strict=True)
    }
    count = multilabel_confusion_matrix if problem.has_lists else confusion_matrix
    confusion = count(labels, predictions, labels=numbers).tolist() if len(names) <= MOST_LABELS else []
    return Detail(metrics, by_label=by_label, confusion=confusion)
