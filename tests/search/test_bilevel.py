"""The bi-level gradients: against finite differences, closed forms and a loop over small tensors."""

import pytest
import torch

from leco.search.bilevel import first_order_gradient, second_order_gradient


def quadratic():
    """L_train = |A w - B alpha|^2 / 2, L_val = |w - c|^2 / 2 + sum(sin alpha) over toy weights and alphas, float64."""
    generator = torch.Generator().manual_seed(0)

    def randn(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    w, alpha = randn(4).requires_grad_(), randn(3).requires_grad_()
    a, b, c = randn(4, 4), randn(4, 3), randn(4)

    def train_loss(w=w, alpha=alpha):
        return (a @ w - b @ alpha).square().sum() / 2

    def val_loss(w=w, alpha=alpha):
        return (w - c).square().sum() / 2 + alpha.sin().sum()

    return w, alpha, train_loss, val_loss


def test_the_first_order_gradient_is_the_partial_derivative():
    _, alpha, _, val_loss = quadratic()
    torch.testing.assert_close(first_order_gradient(val_loss, [alpha])[0], alpha.detach().cos())


def test_the_second_order_gradient_is_that_of_the_unrolled_step():
    w, alpha, train_loss, val_loss = quadratic()
    rate = 0.05

    def after_one_step(alpha_value):
        weights = w.detach().clone().requires_grad_()
        gradient = torch.autograd.grad(train_loss(weights, alpha_value), weights)[0]
        return val_loss(weights.detach() - rate * gradient, alpha_value)

    eps, expected = 1e-5, []
    for index in range(len(alpha)):
        shift = torch.zeros_like(alpha)
        shift[index] = eps
        upper, lower = after_one_step(alpha.detach() + shift), after_one_step(alpha.detach() - shift)
        expected.append(float(upper - lower) / (2 * eps))
    found = second_order_gradient(train_loss, val_loss, [w], [alpha], [rate])[0]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=1e-6)
    assert not torch.allclose(found, first_order_gradient(val_loss, [alpha])[0])


def test_the_weights_are_the_same_again_afterwards():
    w, alpha, train_loss, val_loss = quadratic()
    before = w.detach().clone()
    second_order_gradient(train_loss, val_loss, [w], [alpha], [0.1])
    assert torch.equal(w.detach(), before)


def test_alphas_that_the_loss_does_not_see_have_no_gradient():
    _, alpha, _, val_loss = quadratic()
    unseen = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    assert torch.equal(first_order_gradient(val_loss, [alpha, unseen])[1], torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("rate", [1e-3, 1e-1])
def test_the_second_order_term_grows_with_the_rate(rate):
    w, alpha, train_loss, val_loss = quadratic()
    first = first_order_gradient(val_loss, [alpha])[0]
    second = second_order_gradient(train_loss, val_loss, [w], [alpha], [rate])[0]
    hessian = torch.autograd.functional.hessian(train_loss, (w.detach(), alpha.detach()))[1][0]
    step = w.detach() - rate * torch.autograd.grad(train_loss(), w)[0]
    towards = torch.autograd.grad(val_loss(step.requires_grad_()), step)[0]
    torch.testing.assert_close(second, first - rate * hessian @ towards, atol=1e-6, rtol=1e-6)


def test_each_weight_steps_by_its_own_rate():
    """Two weights with rates of their own, against one step of them as one vector, entry by entry."""
    w, alpha, train_loss, val_loss = quadratic()
    rates = [0.05, 0.4]
    parts = [part.detach().clone().requires_grad_() for part in (w[:1], w[1:])]

    def joined(loss):
        return lambda: loss(torch.cat(parts), alpha)

    found = second_order_gradient(joined(train_loss), joined(val_loss), parts, [alpha], rates)[0]
    by_entry = torch.tensor([rates[0]] + [rates[1]] * (len(w) - 1), dtype=w.dtype)
    hessian = torch.autograd.functional.hessian(train_loss, (w.detach(), alpha.detach()))[1][0]
    step = (w.detach() - by_entry * torch.autograd.grad(train_loss(), w)[0]).requires_grad_()
    towards = torch.autograd.grad(val_loss(step), step)[0]
    first = first_order_gradient(val_loss, [alpha])[0]
    torch.testing.assert_close(found, first - hessian @ (by_entry * towards), atol=1e-6, rtol=1e-6)
