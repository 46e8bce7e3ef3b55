"""The loss of each exit."""

import torch
from torch import Tensor

from leco.problems import Problem


def exit_losses(logits: Tensor, labels: Tensor, problem: Problem) -> Tensor:
    """The mean loss of each exit [M] over a batch: `L_m`, the summands of eq. 1.

    `logits` are [B, M, K], `labels` int64 [B] for a single label, [B, K] of 0 and 1 for many, [B] for a regression.
    """
    return row_losses(logits, labels, problem).mean(0)


def row_losses(logits: Tensor, labels: Tensor, problem: Problem) -> Tensor:
    """The loss of each exit on each row of a batch [B, M]; the rest as in `exit_losses`."""
    return torch.stack([problem.losses(one, labels) for one in _precise(logits).unbind(1)], dim=1)  # M times [B, K]


def uncertainty(logits: Tensor, problem: Problem) -> Tensor:
    """How uncertain exits are by what they say themselves, [..] from 0 to 1, of logits [.., K]: a share of the largest
    entropy. A regression's outputs are values, of which none is uncertain: it is not defined.
    """
    return problem.uncertainty(_precise(logits))


def doubt_loss(doubts: Tensor, logits: Tensor, labels: Tensor, problem: Problem) -> Tensor:
    """How wrong the meta-classifier's `doubts` [B, M] are about exits with these `logits` [B, M, K] (BERxiT, eq. 5).

    The squared error to `1 - [the exit is right]`, to `tanh |y_m - y|` (in standard deviations) for a regression: the
    sum over the exits of the means over the batch. The exits learn nothing from it.
    """
    targets = problem.wrongness(logits.detach(), labels)
    return (doubts - targets.to(doubts.dtype)).square().mean(0).sum()


def divergence(teacher: Tensor, student: Tensor, problem: Problem) -> Tensor:
    """How far logits `student` [B, K] are from logits `teacher` [B, K], a mean over the batch.

    `KL(p_teacher || p_student)` in nats, summed over the labels where a text may have many, each with a distribution of
    its own; the squared difference of the values for a regression.
    """
    return problem.divergence(_precise(teacher), _precise(student))


def _precise(logits: Tensor) -> Tensor:
    """Logits in at least float32, in which losses are computed."""
    return logits if logits.dtype == torch.float64 else logits.float()
