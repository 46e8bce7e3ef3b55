"""The gradient of the architecture parameters in the bi-level problem of DARTS (section 3.2).

`min_alpha L_val(w*(alpha), alpha)` with `w*(alpha) = argmin_w L_train(w, alpha)`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from leco.processes import means

Loss = Callable[[], Tensor]


def first_order_gradient(loss: Loss, alphas: Sequence[Tensor]) -> list[Tensor]:
    """`d L_val(w, alpha) / d alpha` at the weights as they are (first-order DARTS)."""
    return _gradients(loss, alphas)


def second_order_gradient(
    train_loss: Loss, loss: Loss, weights: Sequence[Tensor], alphas: Sequence[Tensor], rates: Sequence[float]
) -> list[Tensor]:
    """The gradient through one step of the weights, `w' = w - xi dL_train/dw` (Liu et al. 2019, eq. 6-8).

    `dL_val(w', alpha)/dalpha - (dL_train(w+, alpha)/dalpha - dL_train(w-, alpha)/dalpha) / 2 eps` with
    `w+- = w +- eps v`, `v = xi dL_val(w', alpha)/dw'` and `eps = 0.01 / |v|`; `xi` is each weight's own of `rates`.
    Both losses are evaluated at the parameters' present values, which are the same again when this returns, and each
    must give the same whenever it is called: differences of two random functions would be noise.
    """
    before = [weight.detach().clone() for weight in weights]
    _shift(weights, before, -1.0, _scaled(_gradients(train_loss, weights), rates))
    at_step = _gradients(loss, [*alphas, *weights])
    direct, towards = at_step[: len(alphas)], _scaled(at_step[len(alphas) :], rates)
    norm = torch.stack([gradient.norm() for gradient in towards]).norm()
    epsilon = 0.01 / float(norm.clamp_min(1e-12))
    _shift(weights, before, epsilon, towards)
    plus = _gradients(train_loss, alphas)
    _shift(weights, before, -epsilon, towards)
    minus = _gradients(train_loss, alphas)
    _shift(weights, before, 0.0, towards)
    return [d - (p - m) / (2 * epsilon) for d, p, m in zip(direct, plus, minus, strict=True)]


def _gradients(loss: Loss, parameters: Sequence[Tensor]) -> list[Tensor]:
    """The gradient of `loss` for each parameter; zeros for one that the loss does not depend on.

    Of several processes it is the mean of theirs.
    """
    return means(torch.autograd.grad(loss(), parameters, materialize_grads=True))


def _scaled(gradients: Sequence[Tensor], rates: Sequence[float]) -> list[Tensor]:
    return [rate * gradient for gradient, rate in zip(gradients, rates, strict=True)]


@torch.no_grad()
def _shift(weights: Sequence[Tensor], origin: Sequence[Tensor], step: float, direction: Sequence[Tensor]) -> None:
    """Set the weights, in place, to `origin + step * direction`."""
    for weight, start, toward in zip(weights, origin, direction, strict=True):
        weight.copy_(start + step * toward)
