"""What a classifier sees of its features: the subspace that the rows of its weights span (CAP).

Shapes: B batch, e features, K outputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Subspace:
    """The weights `W` [K, e] of a linear classifier, their pseudoinverse `W+` [e, K] and `W+ b` [e] of its bias b.

    `W f + b = W (f + W+ b)`, so that the logits of features f are those of `f + W+ b` without a bias.
    """

    weight: Tensor
    inverse: Tensor
    offset: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, weight: Tensor, bias: Tensor) -> "Subspace":
        """That of a classifier with these weights [K, e] and this bias [K], in float32."""
        inverse = torch.linalg.pinv(weight.cpu().double())  # not every accelerator has float64
        matrices = weight, inverse, inverse @ bias.cpu().double()
        return cls(*(matrix.to(weight.device, torch.float32) for matrix in matrices))

    def unseen(self, features: Tensor) -> Tensor:
        """The share, 0 to 1, of features [B, e] that no logit depends on, [B].

        `|f - P f| / |f + W+ b|` with the projection `P = W+ W`, which for `f' = f + W+ b` is
        `sqrt(1 - |P f'|^2 / |f'|^2)`; 1 where `f'` is zero.
        """
        features = features.float()
        outside = (features - features @ self.weight.T @ self.inverse.T).norm(dim=-1)
        whole = (features + self.offset).norm(dim=-1)
        return torch.where(whole > 0, outside / whole, 1.0).clamp(max=1)


def evidence(logits: Tensor, features: Tensor, subspace: Subspace) -> Tensor:
    """`log sum_k exp l(k)` of logits [B, K], and the unseen share of the features [B, e] they are made of: [B, 2]."""
    return torch.stack([logits.float().logsumexp(-1), subspace.unseen(features)], dim=-1)
