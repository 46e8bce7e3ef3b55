"""Exits as ONNX nodes: from a layer's hidden state [b, L, d] to logits [b, K].

Shapes: b rows, L tokens, d hidden, e exit width. `mask` [b, L] is int32, 1 at tokens.
"""

from collections.abc import Callable, Mapping, Sequence
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
    x = _encode(graph, x, mask, list(leave.encoders))
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


def _encode(graph: Graph, x: str, mask: str, encoders: Sequence[nn.Module]) -> str:
    """The sum of the encoders: all attentions as one, all convolutions and skip connections as one."""
    for encoder in encoders:
        if not isinstance(encoder, (Attention, Convolution, Skip)):
            raise LecoError(
                f"The encoder operation {type(encoder).__name__} cannot be exported: it has no form in ONNX."
            )
    attentions = [encoder for encoder in encoders if isinstance(encoder, Attention)]
    others = [encoder for encoder in encoders if not isinstance(encoder, Attention)]
    parts = [_attention(graph, x, mask, attentions)] if attentions else []
    parts += [_convolution(graph, x, mask, others)] if others else []
    return parts[0] if len(parts) == 1 else graph.op("Add", *parts)


def _convolution(graph: Graph, x: str, mask: str, encoders: Sequence[nn.Module]) -> str:
    """The sum of convolutions and skip connections, which is a convolution with the sum of their kernels."""
    if all(isinstance(encoder, Skip) for encoder in encoders):
        return x if len(encoders) == 1 else graph.op("Add", x, x)
    convolutions = [encoder for encoder in encoders if isinstance(encoder, Convolution)]
    reach = max(cast(int, convolution.reach) for convolution in convolutions)
    width = convolutions[0].conv.out_channels
    kernel, bias = np.zeros((width, width, 2 * reach + 1), np.float32), np.zeros(width, np.float32)
    kernel[:, :, reach] = sum(isinstance(encoder, Skip) for encoder in encoders) * np.eye(width)
    for convolution in convolutions:
        own = cast(int, convolution.reach)
        kernel[:, :, reach - own : reach + own + 1] += array(convolution.conv.weight)
        bias += array(convolution.conv.bias)
    if reach == 0:
        return graph.op("Add", graph.op("MatMul", x, graph.weight(kernel[:, :, 0].T)), graph.weight(bias))
    x = graph.op("Transpose", graph.op("Mul", x, _column(graph, mask)), perm=[0, 2, 1])
    x = graph.op("Conv", x, graph.weight(kernel), graph.weight(bias), pads=[reach, reach])
    return graph.op("Transpose", x, perm=[0, 2, 1])


def _attention(graph: Graph, x: str, mask: str, encoders: Sequence[Attention]) -> str:
    """The sum of attentions, as one with the heads of all; zeros, which change no product, make them equally large."""
    size = max(encoder.out.in_features // encoder.heads for encoder in encoders)
    inputs, biases, outputs = [], [], []
    for encoder in encoders:
        own = encoder.out.in_features // encoder.heads
        fill = (0, size - own)
        scale = np.array([(size / own) ** 0.5, 1, 1], np.float32)[:, None, None]  # queries: heads are scaled by size
        weight = array(encoder.qkv.weight).T.reshape(-1, 3, encoder.heads, own) * scale
        bias = array(encoder.qkv.bias).reshape(3, encoder.heads, own) * scale
        inputs.append(np.pad(weight, ((0, 0), (0, 0), (0, 0), fill)))  # [e, 3, heads, size]
        biases.append(np.pad(bias, ((0, 0), (0, 0), fill)))
        outputs.append(np.pad(array(encoder.out.weight).T.reshape(encoder.heads, own, -1), ((0, 0), fill, (0, 0))))
    into, bias, out = np.concatenate(inputs, axis=2), np.concatenate(biases, axis=1), np.concatenate(outputs)
    parts = graph.weight(into.reshape(len(into), -1)), graph.weight(bias.ravel())
    options: dict[str, Any] = {"num_heads": len(out), "mask_filter_value": MASKED, "domain": MICROSOFT}
    attended = graph.op("Attention", x, *parts, mask, **options)
    product = graph.op("MatMul", attended, graph.weight(out.reshape(-1, out.shape[-1])))
    return graph.op("Add", product, graph.weight(np.sum([array(encoder.out.bias) for encoder in encoders], axis=0)))


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
