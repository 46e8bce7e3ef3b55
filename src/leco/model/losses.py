"""The loss of each exit."""

import torch
from torch import Tensor
from torch.nn import functional as F

from leco.problems import MULTI_LABEL, REGRESSION


def exit_losses(logits: Tensor, labels: Tensor, problem_type: str) -> Tensor:
    """The mean loss of each exit [M] over a batch: `L_m`, the summands of eq. 1.

    Cross-entropy for one label (`labels` int64 [B]), binary cross-entropy for many (`labels` [B, K] of 0 and 1),
    squared error for a regression (`labels` [B]); `logits` [B, M, K].
    """
    layers = _precise(logits).unbind(1)  # M times [B, K]
    if problem_type == REGRESSION:
        return torch.stack([F.mse_loss(output.squeeze(-1), labels.to(output.dtype)) for output in layers])
    if problem_type == MULTI_LABEL:
        return torch.stack([F.binary_cross_entropy_with_logits(output, labels.to(output.dtype)) for output in layers])
    return torch.stack([F.cross_entropy(output, labels) for output in layers])


def doubt_loss(doubts: Tensor, logits: Tensor, labels: Tensor, problem_type: str) -> Tensor:
    """How wrong the meta-classifier's `doubts` [B, M] are about exits with these `logits` [B, M, K] (BERxiT, eq. 5).

    The squared error to `1 - [the exit is right]`, to `tanh |y_m - y|` for a regression: the sum over the exits of the
    means over the batch. The exits learn nothing from it.
    """
    answers = logits.detach()
    if problem_type == REGRESSION:
        targets = (answers.squeeze(-1) - labels.unsqueeze(1)).abs().tanh()
    elif problem_type == MULTI_LABEL:
        targets = ((answers > 0) != (labels.unsqueeze(1) > 0)).any(-1)
    else:
        targets = answers.argmax(-1) != labels.unsqueeze(1)
    return (doubts - targets.to(doubts.dtype)).square().mean(0).sum()


def divergence(teacher: Tensor, student: Tensor, problem_type: str) -> Tensor:
    """How far logits `student` [B, K] are from logits `teacher` [B, K], a mean over the batch.

    `KL(p_teacher || p_student)` in nats, summed over the labels where a text may have many, each with a distribution of
    its own; the squared difference of the values for a regression.
    """
    teacher, student = _precise(teacher), _precise(student)
    if problem_type == REGRESSION:
        return F.mse_loss(student, teacher)
    if problem_type == MULTI_LABEL:  # each label has two outcomes, with the logits l and 0: [B, K, 2]
        teacher, student = (torch.stack([logits, torch.zeros_like(logits)], dim=-1) for logits in (teacher, student))
    return F.kl_div(student.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="batchmean")


def _precise(logits: Tensor) -> Tensor:
    """Logits in at least float32, in which losses are computed."""
    return logits if logits.dtype == torch.float64 else logits.float()
