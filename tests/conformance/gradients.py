"""Gradients against finite differences."""

import pytest
import torch

EPS = 1e-6


def assert_gradient(loss, parameters):
    """The gradient of `loss()` by all `parameters` (float64), along a random direction, is that of differences."""
    parameters = list(parameters)
    gradients = torch.autograd.grad(loss(), parameters, materialize_grads=True)
    directions = [torch.randn_like(parameter) for parameter in parameters]
    values = []
    with torch.no_grad():
        for step in (EPS, -2 * EPS):
            torch._foreach_add_(parameters, directions, alpha=step)
            values.append(float(loss()))
        torch._foreach_add_(parameters, directions, alpha=EPS)
    slope = sum(float((gradient * direction).sum()) for gradient, direction in zip(gradients, directions))
    assert slope == pytest.approx((values[0] - values[1]) / (2 * EPS), rel=1e-4, abs=1e-6)


def with_constants(loss, monkeypatch):
    """`loss` with what it detaches held at the values of its first call, as its gradient holds it."""
    detach, known = torch.Tensor.detach, []

    def call():
        constants = iter(tuple(known))

        def constant(x):
            value = next(constants, None)
            if value is None:
                value = detach(x)
                known.append(value)
            return value

        with monkeypatch.context() as patch:
            patch.setattr(torch.Tensor, "detach", constant)
            return loss()

    return call
