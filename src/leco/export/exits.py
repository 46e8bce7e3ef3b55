"""Exits as ONNX nodes: from a layer's hidden state [b, L, d] to logits [b, K].

Shapes: b rows, L tokens, d hidden, e exit width. `mask` [b, L] is int32, 1 at tokens.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from leco.errors import LecoError
from leco.exits.architecture import Architecture, ExitArchitecture
from leco.exits.modules import CellExit, LinearExit
from leco.exits.operations import (
    Attention,
    AveragePool,
    ClsPool,
    Convolution,
    MaxPool,
    SelfAttentionPool,
    Skip,
)
from leco.export.graph import BOOL, FLOAT, MICROSOFT, Graph

MASKED = float(np.finfo(np.float32).min)
"""What is added to the scores of padding, as in Transformers."""


def array(tensor: Tensor | None) -> NDArray[Any]:
    """A weight as float32."""
    assert tensor is not None
    values: NDArray[Any] = tensor.detach().float().cpu().numpy()
    return values


def affine(graph: Graph, x: str, module: nn.Linear) -> str:
    """`x` [.., n] through a linear layer."""
    return graph.op(
        "Add", graph.op("MatMul", x, graph.weight(array(module.weight).T)), graph.weight(array(module.bias))
    )


def write_exit(graph: Graph, architecture: ExitArchitecture, leave: nn.Module, hidden: str, mask: str) -> str:
    """The logits [b, K] of `hidden` [b, L, d]. LecoError where the exit has no form in ONNX."""
    if isinstance(leave, LinearExit):
        return affine(graph, first_token(graph, hidden), leave.classifier)
    if not isinstance(leave, CellExit) or not isinstance(architecture, Architecture):
        raise LecoError(
            f"Exits of the kind '{architecture.kind}' cannot be exported; linear, MHA and learned ones can."
        )
    if leave.tokens is not None:  # all that reaches the first token
        bounds = graph.constant([0]), graph.constant([leave.tokens]), graph.constant([1])
        hidden, mask = graph.op("Slice", hidden, *bounds), graph.op("Slice", mask, *bounds)
    x = ACTIVATIONS[architecture.activation_1](graph, affine(graph, hidden, leave.down))
    encoded = [ENCODERS[type(encoder)](graph, x, mask, encoder) for encoder in leave.encoders]
    x = encoded[0] if len(encoded) == 1 else graph.op("Add", *encoded)
    x = POOLERS[type(leave.pooler)](graph, x, mask, leave.pooler)
    return affine(graph, ACTIVATIONS[architecture.activation_2](graph, x), leave.classifier)


def first_token(graph: Graph, x: str) -> str:
    """The first of the tokens, [b, e]."""
    return graph.op("Gather", x, graph.constant(0), axis=1)


def _column(graph: Graph, mask: str) -> str:
    """The mask as floats [b, L, 1]."""
    return graph.op("Unsqueeze", graph.op("Cast", mask, to=FLOAT), graph.constant([2]))


def _only_tokens(graph: Graph, x: str, mask: str) -> str:
    """`x` [b, L, .] with the least number at the padding."""
    inside = graph.op("Cast", graph.op("Unsqueeze", mask, graph.constant([2])), to=BOOL)
    return graph.op("Where", inside, x, graph.constant(MASKED, np.float32))


def _convolution(graph: Graph, x: str, mask: str, module: nn.Module) -> str:
    conv, reach = cast(Convolution, module).conv, cast(Convolution, module).reach
    if reach == 0:
        x = graph.op("MatMul", x, graph.weight(array(conv.weight)[:, :, 0].T))
        return graph.op("Add", x, graph.weight(array(conv.bias)))
    x = graph.op("Transpose", graph.op("Mul", x, _column(graph, mask)), perm=[0, 2, 1])
    x = graph.op("Conv", x, graph.weight(array(conv.weight)), graph.weight(array(conv.bias)), pads=[reach, reach])
    return graph.op("Transpose", x, perm=[0, 2, 1])


def _attention(graph: Graph, x: str, mask: str, module: nn.Module) -> str:
    attention = cast(Attention, module)
    parts = graph.weight(array(attention.qkv.weight).T), graph.weight(array(attention.qkv.bias))
    options: dict[str, Any] = {"num_heads": attention.heads, "mask_filter_value": MASKED, "domain": MICROSOFT}
    return affine(graph, graph.op("Attention", x, *parts, mask, **options), attention.out)


def _max(graph: Graph, x: str, mask: str, module: nn.Module) -> str:
    return graph.op("ReduceMax", _only_tokens(graph, x, mask), graph.constant([1]), keepdims=0)


def _average(graph: Graph, x: str, mask: str, module: nn.Module) -> str:
    column, axes = _column(graph, mask), graph.constant([1])
    total = graph.op("ReduceSum", graph.op("Mul", x, column), axes, keepdims=0)
    return graph.op("Div", total, graph.op("ReduceSum", column, axes, keepdims=0))


def _self_attention(graph: Graph, x: str, mask: str, module: nn.Module) -> str:
    query = graph.weight(array(cast(SelfAttentionPool, module).query)[:, None])
    scores = _only_tokens(graph, graph.op("MatMul", x, query), mask)  # [b, L, 1]
    weighed = graph.op("Mul", x, graph.op("Softmax", scores, axis=1))
    return graph.op("ReduceSum", weighed, graph.constant([1]), keepdims=0)


Operation = Callable[[Graph, str, str, nn.Module], str]

ENCODERS: Mapping[type[nn.Module], Operation] = {
    Convolution: _convolution,
    Attention: _attention,
    Skip: lambda graph, x, mask, module: x,
}
POOLERS: Mapping[type[nn.Module], Operation] = {
    ClsPool: lambda graph, x, mask, module: first_token(graph, x),
    MaxPool: _max,
    AveragePool: _average,
    SelfAttentionPool: _self_attention,
}
ACTIVATIONS: Mapping[str, Callable[[Graph, str], str]] = {
    "relu": lambda graph, x: graph.op("Relu", x),
    "gelu": lambda graph, x: graph.op("Gelu", x, domain=MICROSOFT),
    "swish": lambda graph, x: graph.op("QuickGelu", x, domain=MICROSOFT, alpha=1.0),
    "tanh": lambda graph, x: graph.op("Tanh", x),
    "null": lambda graph, x: x,
    "leaky_relu": lambda graph, x: graph.op("LeakyRelu", x, alpha=0.01),
}
