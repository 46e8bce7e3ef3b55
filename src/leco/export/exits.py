"""Exits as ONNX nodes: from a layer's hidden state [b, L, d] to logits [b, K].

Every pooler but the maximum is a weighted mean of the tokens. What is linear may as well come after it, where a row has
one vector to multiply and not L; so it does.

Shapes: B rows of the batch, b rows inside, L tokens, d hidden, e exit width.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from leco.errors import LecoError
from leco.exits.architecture import Architecture, ExitArchitecture
from leco.exits.base import Exit
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
from leco.exits.subspace import Subspace
from leco.export.graph import BOOL, FLOAT, MICROSOFT, Graph

Array = NDArray[Any]
MASKED = float(np.finfo(np.float32).min)
"""What is added to the scores of padding, as in Transformers."""


def array(tensor: Tensor | None) -> Array:
    """A weight as float32."""
    assert tensor is not None
    values: Array = tensor.detach().float().cpu().numpy()
    return values


def affine(graph: Graph, x: str, module: nn.Linear) -> str:
    """`x` [.., n] through a linear layer."""
    return graph.op(
        "Add", graph.op("MatMul", x, graph.weight(array(module.weight).T)), graph.weight(array(module.bias))
    )


@dataclass(frozen=True)
class Tokens:
    """Which tokens of the rows inside are not padding: `mask` [b, L] is int32, 1 at tokens.

    `batch_mask` [B, L] is that of the whole batch, and `rows` [b, 1] says which of its rows are inside; None is all.
    """

    mask: str
    batch_mask: str
    rows: str | None = None

    def weights(self, graph: Graph) -> str:
        """What each token weighs in the mean of its row, [b, 1, L]."""
        return self._of_rows(graph, "weights", lambda root, mask: root.op("LpNormalization", mask, axis=1, p=1))

    def bias(self, graph: Graph) -> str:
        """What hides the padding when it is added to the scores of tokens, [b, 1, L]."""

        def hide(root: Graph, mask: str) -> str:
            padding = root.op("Sub", root.constant(1, np.float32), mask)
            return root.op("Mul", padding, root.constant(MASKED, np.float32))

        return self._of_rows(graph, "bias", hide)

    def first(self, graph: Graph, number: int) -> "Tokens":
        """The first tokens of each row."""
        return replace(self, mask=first_tokens(graph, self.mask, number))

    def _of_rows(self, graph: Graph, name: str, make: Callable[[Graph, str], str]) -> str:
        """What `make` gives of the batch's mask as floats, made once for all layers, of the rows inside."""
        floats = graph.once("floats", lambda root: root.op("Cast", self.batch_mask, to=FLOAT))
        value = graph.once(name, lambda root: make(root, floats))
        if self.rows is None:
            return graph.op("Unsqueeze", value, graph.constant([1]))
        return graph.op("Gather", value, self.rows)


@dataclass(frozen=True)
class Part:
    """A part of what the encoders give: `value` [b, L, n], still to be multiplied with `matrix` [n, e], if any."""

    value: str
    matrix: Array | None = None

    def finish(self, graph: Graph, x: str) -> str:
        """`x` [.., n], which was made of the value, times the matrix."""
        return x if self.matrix is None else graph.op("MatMul", x, graph.weight(self.matrix))


def write_exit(
    graph: Graph, architecture: ExitArchitecture, exit_: nn.Module, hidden: str, tokens: Tokens
) -> tuple[str, str]:
    """The logits [b, K] of `hidden` [b, L, d], and the features [b, e] that its last linear layer makes them of.

    LecoError where the exit has no form in ONNX.
    """
    features = _features(graph, architecture, exit_, hidden, tokens)
    return affine(graph, features, cast(Exit, exit_).classifier), features


def write_evidence(graph: Graph, logits: str, features: str, subspace: Subspace) -> str:
    """The evidence [b, 2] of an exit with these logits [b, K] and features [b, e] (`leco.exits.subspace.evidence`)."""
    columns, tiny = graph.constant([1]), graph.constant(np.finfo(np.float32).tiny, np.float32)
    seen = graph.op("MatMul", features, graph.weight(array(subspace.weight.T)))
    seen = graph.op("MatMul", seen, graph.weight(array(subspace.inverse.T)))  # the projection [b, e]
    outside = graph.op("ReduceL2", graph.op("Sub", features, seen), columns, keepdims=1)
    whole = graph.op("ReduceL2", graph.op("Add", features, graph.weight(array(subspace.offset))), columns, keepdims=1)
    share = graph.op("Div", outside, graph.op("Max", whole, tiny))
    one = graph.constant(1, np.float32)
    share = graph.op("Where", graph.op("Greater", whole, graph.constant(0, np.float32)), share, one)
    known = graph.op("ReduceLogSumExp", logits, columns, keepdims=1)
    return graph.op("Concat", known, graph.op("Min", share, one), axis=1)


def _features(graph: Graph, architecture: ExitArchitecture, exit_: nn.Module, hidden: str, tokens: Tokens) -> str:
    if isinstance(exit_, LinearExit):
        return first_token(graph, hidden)
    if not isinstance(exit_, CellExit) or not isinstance(architecture, Architecture):
        raise LecoError(
            f"Exits of the kind '{architecture.kind}' cannot be exported; linear, MHA and learned ones can."
        )
    if exit_.tokens is not None:  # all that reaches the first token
        hidden, tokens = first_tokens(graph, hidden, exit_.tokens), tokens.first(graph, exit_.tokens)
    x = _activate(graph, architecture.activation_1, affine(graph, hidden, exit_.down))
    x = _pool(graph, *_encode(graph, x, tokens.mask, list(exit_.encoders)), tokens, exit_.pooler)
    return _activate(graph, architecture.activation_2, x)


def _activate(graph: Graph, name: str, x: str) -> str:
    """An activation of `x`."""
    if name not in ACTIVATIONS:
        raise LecoError(f"The activation '{name}' cannot be exported: it has no form in ONNX.")
    return ACTIVATIONS[name](graph, x)


def first_token(graph: Graph, x: str) -> str:
    """The first of the tokens, [b, e]."""
    return graph.op("Gather", x, graph.constant(0), axis=1)


def first_tokens(graph: Graph, x: str, number: int) -> str:
    """The first tokens of `x` [b, L, ..]."""
    return graph.op("Slice", x, graph.constant([0]), graph.constant([number]), graph.constant([1]))


def _encode(graph: Graph, x: str, mask: str, encoders: Sequence[nn.Module]) -> tuple[list[Part], Array]:
    """The encoders' sum as parts, all attentions as one, all convolutions and skip connections as one; and a bias."""
    for encoder in encoders:
        if not isinstance(encoder, (Attention, Convolution, Skip)):
            raise LecoError(
                f"The encoder operation {type(encoder).__name__} cannot be exported: it has no form in ONNX."
            )
    attentions = [encoder for encoder in encoders if isinstance(encoder, Attention)]
    others = [encoder for encoder in encoders if not isinstance(encoder, Attention)]
    parts = [_attention(graph, x, mask, attentions)] if attentions else []
    parts += [_convolution(graph, x, mask, others)] if others else []
    biases = [array(encoder.out.bias) for encoder in attentions]
    biases += [array(encoder.conv.bias) for encoder in others if isinstance(encoder, Convolution)]
    return parts, sum(biases, np.zeros(1, np.float32))


def _convolution(graph: Graph, x: str, mask: str, encoders: Sequence[nn.Module]) -> Part:
    """The sum of convolutions and skip connections, which is a convolution with the sum of their kernels."""
    convolutions = [encoder for encoder in encoders if isinstance(encoder, Convolution)]
    if not convolutions:
        return Part(x if len(encoders) == 1 else graph.op("Add", x, x))
    reach = max(cast(int, convolution.reach) for convolution in convolutions)
    width = convolutions[0].conv.out_channels
    kernel = np.zeros((width, width, 2 * reach + 1), np.float32)
    kernel[:, :, reach] = sum(isinstance(encoder, Skip) for encoder in encoders) * np.eye(width)
    for convolution in convolutions:
        own = cast(int, convolution.reach)
        kernel[:, :, reach - own : reach + own + 1] += array(convolution.conv.weight)
    if reach == 0:
        return Part(x, kernel[:, :, 0].T)
    x = graph.op("Transpose", graph.op("Mul", x, _column(graph, mask)), perm=[0, 2, 1])
    x = graph.op("Conv", x, graph.weight(kernel), pads=[reach, reach])
    return Part(graph.op("Transpose", x, perm=[0, 2, 1]))


def _attention(graph: Graph, x: str, mask: str, encoders: Sequence[Attention]) -> Part:
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
    inputs_of_all = graph.weight(into.reshape(len(into), -1)), graph.weight(bias.ravel())
    options: dict[str, Any] = {"num_heads": len(out), "mask_filter_value": MASKED, "domain": MICROSOFT}
    return Part(graph.op("Attention", x, *inputs_of_all, mask, **options), out.reshape(-1, out.shape[-1]))


def _column(graph: Graph, mask: str) -> str:
    """The mask as floats [b, L, 1]."""
    return graph.op("Unsqueeze", graph.op("Cast", mask, to=FLOAT), graph.constant([2]))


def _pool(graph: Graph, parts: Sequence[Part], bias: Array, tokens: Tokens, pooler: nn.Module) -> str:
    """The pooled sum [b, e] of the parts and the bias [e]."""
    if isinstance(pooler, MaxPool):
        total = _sum(graph, [part.finish(graph, part.value) for part in parts])
        inside = graph.op("Cast", graph.op("Unsqueeze", tokens.mask, graph.constant([2])), to=BOOL)
        total = graph.op("Where", inside, total, graph.constant(MASKED, np.float32))
        pooled = graph.op("ReduceMax", total, graph.constant([1]), keepdims=0)
    elif type(pooler) not in MEANS:
        raise LecoError(f"The pooler {type(pooler).__name__} cannot be exported: it has no form in ONNX.")
    else:
        mean = MEANS[type(pooler)](graph, parts, tokens, pooler)
        pooled = _sum(graph, [part.finish(graph, mean(part.value)) for part in parts])
    return graph.op("Add", pooled, graph.weight(bias))


def _sum(graph: Graph, values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else graph.op("Add", *values)


Mean = Callable[[str], str]
"""From a value [b, L, n] to its weighted mean over the tokens [b, n]."""


def _first(graph: Graph, parts: Sequence[Part], tokens: Tokens, pooler: nn.Module) -> Mean:
    return lambda value: first_token(graph, value)


def _average(graph: Graph, parts: Sequence[Part], tokens: Tokens, pooler: nn.Module) -> Mean:
    return _weighted(graph, tokens.weights(graph))


def _self_attention(graph: Graph, parts: Sequence[Part], tokens: Tokens, pooler: nn.Module) -> Mean:
    query = array(cast(SelfAttentionPool, pooler).query)
    scores = []
    for part in parts:
        own = query if part.matrix is None else part.matrix @ query  # [n]; a bias would add the same to all tokens
        scores.append(graph.op("FusedMatMul", graph.weight(own[None]), part.value, domain=MICROSOFT, transB=1))
    of_tokens = graph.op("Add", _sum(graph, scores), tokens.bias(graph))  # [b, 1, L]
    return _weighted(graph, graph.op("Softmax", of_tokens, axis=-1))


def _weighted(graph: Graph, weights: str) -> Mean:
    """With a weight [b, 1, L] for each token."""
    return lambda value: graph.op("Squeeze", graph.op("MatMul", weights, value), graph.constant([1]))


MEANS: Mapping[type[nn.Module], Callable[[Graph, Sequence[Part], Tokens, nn.Module], Mean]] = {
    ClsPool: _first,
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
