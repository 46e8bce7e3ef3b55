"""The gradient of the architecture parameters in the bi-level problem of DARTS (section 3.2).

`min_alpha L_val(w*(alpha), alpha)` with `w*(alpha) = argmin_w L_train(w, alpha)`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Loss = Callable[[], Tensor]


def first_order_gradient(loss: Loss, alphas: Sequence[Tensor]) -> list[Tensor]:
    """`d L_val(w, alpha) / d alpha` at the weights as they are (first-order DARTS)."""
    return _gradients(loss, alphas)


def second_order_gradient(
    train_loss: Loss, loss: Loss, weights: Sequence[Tensor], alphas: Sequence[Tensor], learning_rate: float
) -> list[Tensor]:
    """The gradient through one step of the weights, `w' = w - xi dL_train/dw` (Liu et al. 2019, eq. 6-8).

    `dL_val(w', alpha)/dalpha - xi (dL_train(w+, alpha)/dalpha - dL_train(w-, alpha)/dalpha) / 2 eps` with
    `w+- = w +- eps dL_val(w', alpha)/dw'` and `eps = 0.01 / |dL_val/dw'|`; `xi` is `learning_rate`. Both losses
    are evaluated at the parameters' present values, which are the same again when this returns.
    """
    before = [weight.detach().clone() for weight in weights]
    _shift(weights, before, -learning_rate, _gradients(train_loss, weights))
    at_step = _gradients(loss, [*alphas, *weights])
    direct, towards = at_step[: len(alphas)], at_step[len(alphas) :]
    norm = torch.stack([gradient.norm() for gradient in towards]).norm()
    epsilon = 0.01 / float(norm.clamp_min(1e-12))
    _shift(weights, before, epsilon, towards)
    plus = _gradients(train_loss, alphas)
    _shift(weights, before, -epsilon, towards)
    minus = _gradients(train_loss, alphas)
    _shift(weights, before, 0.0, towards)
    scale = learning_rate / (2 * epsilon)
    return [d - scale * (p - m) for d, p, m in zip(direct, plus, minus, strict=True)]


def _gradients(loss: Loss, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradient of `loss` for each parameter; zeros for one that the loss does not depend on."""
    return list(torch.autograd.grad(loss(), parameters, materialize_grads=True))


@torch.no_grad()
def _shift(weights: Sequence[Tensor], origin: Sequence[Tensor], step: float, direction: Sequence[Tensor]) -> None:
    """Set the weights, in place, to `origin + step * direction`."""
    for weight, start, toward in zip(weights, origin, direction, strict=True):
        weight.copy_(start + step * toward)
