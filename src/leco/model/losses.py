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
    layers = logits.float().unbind(1)  # M times [B, K]
    if problem_type == REGRESSION:
        return torch.stack([F.mse_loss(output.squeeze(-1), labels.float()) for output in layers])
    if problem_type == MULTI_LABEL:
        return torch.stack([F.binary_cross_entropy_with_logits(output, labels.float()) for output in layers])
    return torch.stack([F.cross_entropy(output, labels) for output in layers])
