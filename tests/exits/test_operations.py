"""The formulas of the operations against loops."""

import pytest
import torch

from leco.errors import LecoError
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS
from tiny import LENGTH, WIDTH


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


def test_a_width_that_the_heads_do_not_divide_is_an_error():
    with pytest.raises(LecoError, match="8 heads needs a width divisible by 8, not width 12"):
        ENCODERS["mha_8"](12)
