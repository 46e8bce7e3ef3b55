"""The loss of each exit."""

import torch
from torch import Tensor

from leco.problems import Problem


def exit_losses(logits: Tensor, labels: Tensor, problem: Problem) -> Tensor:
    """The mean loss of each exit [M] over a batch: `L_m`, the summands of eq. 1.

    `logits` are [B, M, K], `labels` int64 [B] for a single label, [B, K] of 0 and 1 for many, [B] for a regression.
    The `problem` says which loss: cross-entropy in nats, binary cross-entropy, or the squared error in standard
    deviations.

    Source: LECO, equation 1.

    >>> from leco.problems import Regression
    >>> exit_losses(torch.tensor([[[1.0], [2.0]]]), torch.tensor([3.0]), Regression())
    tensor([4., 1.])
    """
    return row_losses(logits, labels, problem).mean(0)


def row_losses(logits: Tensor, labels: Tensor, problem: Problem) -> Tensor:
    """The loss of each exit on each row of a batch [B, M].

    `logits` [B, M, K], `labels` and `problem` are those of `exit_losses`, which is the mean over the rows.
    """
    return torch.stack([problem.losses(one, labels) for one in _precise(logits).unbind(1)], dim=1)  # M times [B, K]


def uncertainty(logits: Tensor, problem: Problem) -> Tensor:
    """How uncertain exits are by what they say: the entropy as a share of the largest, `H / log K`, from 0 to 1.

    It is [..] of logits [.., K]. With many labels, by the `problem`, it is the mean of the labels' own. A regression's
    outputs are values, of which none is uncertain: it is not defined.

    >>> from leco.problems import SingleLabel
    >>> uncertainty(torch.tensor([[0.0, 0.0], [0.0, 2.0]]), SingleLabel())
    tensor([1.0000, 0.5271])
    """
    return problem.uncertainty(_precise(logits))


def doubt_loss(doubts: Tensor, logits: Tensor, labels: Tensor, problem: Problem) -> Tensor:
    """How wrong the meta-classifier's `doubts` [B, M] are about exits with these `logits` [B, M, K].

    The squared error to `1 - [the exit is right]`, to `tanh |y_m - y|` (in standard deviations) for a regression: the
    sum over the exits of the means over the batch, by the `labels` of `exit_losses` and the kind of `problem`. The
    exits learn nothing from it.

    Source: BERxiT (Xin et al. 2021), equation 5.

    >>> from leco.problems import SingleLabel
    >>> doubt_loss(torch.tensor([[0.5]]), torch.tensor([[[0.0, 1.0]]]), torch.tensor([1]), SingleLabel())
    tensor(0.2500)
    """
    targets = problem.wrongness(logits.detach(), labels)
    return (doubts - targets.to(doubts.dtype)).square().mean(0).sum()


def divergence(teacher: Tensor, student: Tensor, problem: Problem) -> Tensor:
    """How far logits `student` [B, K] are from logits `teacher` [B, K], a mean over the batch.

    `KL(p_teacher || p_student)` in nats, summed over the labels where by the `problem` a text may have many, each
    with a distribution of its own; the squared difference of the values for a regression.

    >>> from leco.problems import SingleLabel
    >>> divergence(torch.tensor([[100.0, 0.0]]), torch.tensor([[0.0, 0.0]]), SingleLabel())  # log 2
    tensor(0.6931)
    """
    return problem.divergence(_precise(teacher), _precise(student))


def _precise(logits: Tensor) -> Tensor:
    """Logits in at least float32, in which losses are computed."""
    return logits if logits.dtype == torch.float64 else logits.float()
