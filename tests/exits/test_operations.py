"""Every operation: registered names, padding that changes nothing, first positions alone, formulas against loops."""

import pytest
import torch

from leco.errors import LecoError
from leco.exits.architecture import EDGES
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS

WIDTH, LENGTH, PADDED = 16, 5, 9


@pytest.fixture
def padded() -> tuple[torch.Tensor, torch.Tensor]:
    """One text of 5 tokens with 4 of noise behind it, and its mask."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, PADDED, WIDTH, generator=generator)
    return x, (torch.arange(PADDED) < LENGTH)[None]


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_ignores_padding(name, padded):
    x, mask = padded
    operation = ENCODERS[name](WIDTH)
    alone = operation(x[:, :LENGTH], None)
    assert alone.shape == (1, LENGTH, WIDTH)
    torch.testing.assert_close(operation(x, mask)[:, :LENGTH], alone, atol=1e-6, rtol=0)
    torch.testing.assert_close(operation(x, mask, 2), alone[:, :2], atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ENCODERS)
def test_reach_is_how_far_an_encoder_sees(name):
    operation = ENCODERS[name](WIDTH)
    x = torch.randn(1, PADDED, WIDTH, requires_grad=True)
    operation(x, None)[0, 0].sum().backward() if operation(x, None).requires_grad else None
    touched = torch.zeros(PADDED, dtype=torch.bool) if x.grad is None else x.grad[0].abs().sum(-1) > 0
    furthest = int(touched.nonzero().max()) if touched.any() else 0
    assert furthest == (PADDED - 1 if operation.reach is None else operation.reach)


@pytest.mark.parametrize("name", POOLERS)
def test_a_pooler_ignores_padding(name, padded):
    x, mask = padded
    operation = POOLERS[name](WIDTH)
    alone = operation(x[:, :LENGTH], None)
    assert alone.shape == (1, WIDTH)
    torch.testing.assert_close(operation(x, mask), alone, atol=1e-6, rtol=0)


def test_poolers_against_loops(padded):
    x, mask = padded
    tokens = [x[0, i] for i in range(LENGTH)]
    sa = POOLERS["sa"](WIDTH)
    scores = torch.stack([token @ sa.query for token in tokens])
    expected = {
        "cls": tokens[0],
        "avg": sum(tokens) / LENGTH,
        "max": torch.stack([max(token[i] for token in tokens) for i in range(WIDTH)]),
        "sa": sum(w * token for w, token in zip(scores.exp() / scores.exp().sum(), tokens, strict=True)),
    }
    assert set(expected) == set(POOLERS)
    for name, value in expected.items():
        pooler = sa if name == "sa" else POOLERS[name](WIDTH)
        torch.testing.assert_close(pooler(x, mask)[0], value, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("name", "kernel_size"), [("conv_1", 1), ("conv_3", 3), ("conv_5", 5)])
def test_convolution_against_a_loop(name, kernel_size, padded):
    x, mask = padded
    operation = ENCODERS[name](WIDTH)
    weight, bias = operation.conv.weight, operation.conv.bias
    for position in range(LENGTH):
        value = bias.clone()
        for tap in range(kernel_size):
            source = position + tap - kernel_size // 2
            if 0 <= source < LENGTH:
                value = value + weight[:, :, tap] @ x[0, source]
        torch.testing.assert_close(operation(x, mask)[0, position], value, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "heads"), [("mha_2", 2), ("mha_4", 4), ("mha_8", 8), ("mha_dot", 4)])
def test_attention_against_a_loop(name, heads, padded):
    x, mask = padded
    operation = ENCODERS[name](WIDTH)
    q, k, v = operation.qkv(x[0, :LENGTH]).split(WIDTH, dim=-1)
    size = WIDTH // heads
    rows = []
    for i in range(LENGTH):
        parts = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = torch.stack([q[i, part] @ k[j, part] / size**0.5 for j in range(LENGTH)]).softmax(0)
            parts.append(sum(scores[j] * v[j, part] for j in range(LENGTH)))
        rows.append(operation.out(torch.cat(parts)))
    torch.testing.assert_close(operation(x, mask)[0, :LENGTH], torch.stack(rows), atol=1e-5, rtol=0)


def test_activations_have_their_formulas():
    x = torch.linspace(-3, 3, 13)
    expected = {
        "relu": x.clamp_min(0),
        "gelu": x * 0.5 * (1 + torch.erf(x / 2**0.5)),
        "swish": x / (1 + (-x).exp()),
        "tanh": (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()),
        "null": x,
        "leaky_relu": torch.where(x > 0, x, 0.01 * x),
    }
    assert set(expected) == set(ACTIVATIONS)
    for name, value in expected.items():
        torch.testing.assert_close(ACTIVATIONS[name](x), value)


def test_unknown_operations_are_named_with_the_known_ones():
    for edge, registry in EDGES.items():
        with pytest.raises(LecoError, match=rf"Unknown {registry.kind} 'lstm'.*null|Unknown pooler 'lstm'.*cls"):
            registry.name("lstm")
        assert edge


def test_a_width_that_the_heads_do_not_divide_is_an_error():
    with pytest.raises(LecoError, match="8 heads needs a width divisible by 8, not --width 12"):
        ENCODERS["mha_8"](12)
