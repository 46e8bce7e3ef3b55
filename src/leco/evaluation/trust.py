"""Whether exits know when they are wrong, which is what early exiting lives on.

Shapes: M layers, N texts, K outputs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from leco.problems import Problem

Array = NDArray[Any]
BINS = 15


@dataclass(frozen=True)
class Trust:
    """How far the confidence of an exit can be trusted.

    Attributes:
        auroc: the probability that it is surer of a right answer than of a wrong one (ties count half): 1 is perfect,
            0.5 a coin; None where all answers are right, or all wrong.
        calibration_error: the mean distance between confidence and the share that is right, over `BINS` bins of equal
            width (Guo et al. 2017, 1706.04599): 0 is perfect.

    """

    auroc: float | None
    calibration_error: float


def trust_by_exit(problem: Problem, scores: Array, labels: Array) -> list[Trust]:
    """The trust in each exit, of scores [M, N, K]; none where answers are values, which are neither right nor wrong."""
    if not problem.has_names:
        return []
    return [trust(problem.confidence(layer), problem.right(layer, labels)) for layer in scores]


def trust(confidence: Array, right: Array) -> Trust:
    """The trust in answers of which the confidence [N], from 0 to 1, and whether they are right [N] are known."""
    mixed = bool(right.any() and not right.all())
    auroc = float(roc_auc_score(right, confidence)) if mixed else None
    return Trust(auroc, calibration_error(confidence, right))


def calibration_error(confidence: Array, right: Array, bins: int = BINS) -> float:
    """`sum_b n_b / N |share right in b - mean confidence in b|`, over bins of equal width."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    off = np.bincount(places, right.astype(float) - confidence, minlength=bins)
    return float(np.abs(off).sum() / len(confidence))
