"""The supernet's merged operations against a loop over layers, edges and candidates."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call

from leco.exits import operations
from leco.exits.architecture import EDGES
from leco.exits.operations import ACTIVATIONS, Encoder, Pooler
from leco.exits.space import SPACES, SearchSpace
from leco.exits.supernet import Supernet

M, B, L, D, K = 3, 4, 7, 12, 2


def naive(net, hidden, mask, weights):
    """Figure 1 (right) as it is written: every candidate of every edge of every layer on its own."""

    def apply(stacked, layer, *inputs):
        return functional_call(stacked.prototype, stacked.layer(layer), inputs)

    logits = []
    for m in range(M):
        x = apply(net.down, m, hidden[m])
        x = sum(w * ACTIVATIONS[name](x) for name, w in zip(net.space.activation_1, weights["activation_1"][m]))
        encoded = 0
        for edge in ("encoder_1", "encoder_2"):
            for candidate, w in zip(net.encoders[edge], weights[edge][m]):
                encoded = encoded + w * apply(candidate, m, x, mask)
        x = sum(w * apply(candidate, m, encoded, mask) for candidate, w in zip(net.poolers, weights["pooler"][m]))
        x = sum(w * ACTIVATIONS[name](x) for name, w in zip(net.space.activation_2, weights["activation_2"][m]))
        logits.append(apply(net.classifier, m, x))
    return torch.stack(logits)


def compare(space):
    torch.manual_seed(0)
    net = Supernet(space, M, D, K)
    hidden = torch.randn(M, B, L, D, requires_grad=True)
    mask = torch.arange(L)[None] < torch.tensor([[L], [3], [1], [5]])
    alphas = {edge: torch.randn(M, len(space.operations(edge)), requires_grad=True) for edge in EDGES}
    weights = {edge: value.softmax(-1) for edge, value in alphas.items()}
    for given in (mask, None):
        merged, loop = net(hidden, given, weights), naive(net, hidden, given, weights)
        torch.testing.assert_close(merged, loop, atol=1e-5, rtol=0)
    wanted = [hidden, *alphas.values(), *net.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(merged.square().sum(), wanted, retain_graph=True, materialize_grads=True),
        torch.autograd.grad(loop.square().sum(), wanted, materialize_grads=True),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", SPACES)
def test_the_supernet_equals_a_loop_over_all_candidates(name):
    compare(SPACES[name])


def test_a_space_with_every_registered_operation():
    width = {"width": 8}
    compare(
        SearchSpace(
            tuple(ACTIVATIONS), *[tuple(operations.ENCODERS)] * 2, tuple(operations.POOLERS), ("relu",), **width
        )
    )


class Gate(Encoder):
    """An encoder operation that the supernet has no merged form for."""

    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(width, width)

    def forward(self, x, mask, positions=None):
        return (self.gate(x).sigmoid() * x)[:, :positions]


class ScaledSum(Pooler):
    """A pooler with parameters that the supernet has no merged form for."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(width))

    def forward(self, x, mask):
        return operations.zero_padding(x, mask).sum(-2) * self.scale


def test_new_operations_need_no_change_of_the_supernet(monkeypatch):
    monkeypatch.setitem(operations.ENCODERS._table, "gate", Gate)
    monkeypatch.setitem(operations.POOLERS._table, "scaled_sum", ScaledSum)
    compare(SearchSpace(("gelu",), ("gate", "conv_3"), ("mha_2", "gate"), ("scaled_sum", "max"), ("tanh",), width=8))


def test_it_runs_in_float32_under_autocast():
    net = Supernet(SearchSpace(width=8), M, D, K)
    weights = {edge: torch.ones(M, len(net.space.operations(edge))) for edge in EDGES}
    with torch.autocast("cpu", torch.bfloat16):
        assert net(torch.randn(M, B, L, D, dtype=torch.bfloat16), None, weights).dtype == torch.float32


def test_one_copy_of_each_operation_for_each_layer():
    net = Supernet(SearchSpace(width=8), M, D, K)
    for stack in net.parameters():
        assert stack.shape[0] == M
    first = net.encoders["encoder_1"][0]["conv.weight"]
    assert not torch.equal(first[0], first[1])
    assert partial(operations.Convolution, kernel_size=1)(8).conv.weight.shape == first[0].shape
