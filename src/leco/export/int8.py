"""Matrices as 8-bit integers, for processors that multiply these faster.

A text has one answer, alone and in any batch: what is multiplied is rounded by a scale that is a constant of the file
or the token's own, never one of the batch. Constants come from `ranges.py`. Behind a norm, where channels differ much,
the matrix takes a part of that over, as in SmoothQuant (Xiao et al., ICML 2023, equation 4). What comes out of an
activation has no range that a constant fits: there each token has its scale.

On x86 processors that cannot multiply integers natively (those without VNNI) ONNX Runtime adds up the products of two
neighbouring rows of a matrix in 16 bits, and what overflows there is wrong: the scales leave room for any two.

Shapes: b rows, L tokens, n and m channels before and after a matrix.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from leco.export.exits import MASKED, array
from leco.export.graph import MICROSOFT, Graph
from leco.export.ranges import Ranges

Array = NDArray[Any]
LARGEST, ZERO = 127, 128
"""The integer of the largest magnitude, and what is added, so that integers are from 1 to 255."""
PAIR = 127.99
"""What two neighbours in a column of a matrix come to at most; rounded, 128 at most: times 255, that has 16 bits."""
SMOOTHING = 0.6
"""How much of the difference between channels goes over to the matrix, from 0 (nothing) to 1."""
LEAST = 0.17
"""No activation of `fused.ACTIVATIONS` is further below zero."""


def quantize(weight: Array) -> tuple[Array, Array]:
    """A matrix [n, m] as symmetric int8 and the scale [m] of each column: `weight ~ int8 * scale`.

    No two neighbours of a column, of rows 2i and 2i + 1, come to more than 128 where both have one sign.
    """
    pairs = np.concatenate([weight, np.zeros((len(weight) % 2, weight.shape[1]))]).reshape(-1, 2, weight.shape[1])
    of_one_sign = np.maximum(pairs.clip(min=0).sum(1), -pairs.clip(max=0).sum(1)).max(0)
    largest = np.maximum(np.abs(weight).max(0) / LARGEST, of_one_sign / PAIR)
    scale = np.where(largest < np.finfo(np.float32).tiny, 1, largest).astype(np.float32)
    return np.round(weight / scale).astype(np.int8), scale


def smoothing(reach: Array, weight: Array) -> Array:
    """What to divide the channels [n] of an input by that reach so far, and the matrix [n, m] to be multiplied with."""
    rows = np.abs(weight).max(1)
    known = (reach > 0) & (rows > 0)
    ratio = np.where(known, reach, 1) ** SMOOTHING / np.where(known, rows, 1) ** (1 - SMOOTHING)
    return np.where(known, ratio, 1).astype(np.float32)


def by_token(graph: Graph, x: str, weight: Array) -> str:
    """`x` [.., n] times `weight` [n, m], each token by its own range."""
    shape = graph.op("Concat", graph.op("Shape", x, end=-1), graph.constant([weight.shape[1]]), axis=0)
    return _by_token(graph, x, weight, shape, positive=False)


def _by_token(graph: Graph, x: str, weight: Array, shape: str, *, positive: bool) -> str:
    """The product in its shape; `positive` is never below minus `LEAST`."""
    last = graph.constant([-1])
    tokens = graph.op("Reshape", x, graph.constant([-1, len(weight)]))  # scales by row need two dimensions
    reach = graph.op("ReduceMax", tokens if positive else graph.op("Abs", tokens), last, keepdims=0)
    least = graph.constant(LEAST if positive else LARGEST * np.finfo(np.float32).tiny, np.float32)
    scales = graph.op("Mul", graph.op("Max", reach, least), graph.constant(1 / LARGEST, np.float32))
    zeros = graph.op("Expand", graph.constant(ZERO, np.uint8), graph.op("Shape", scales))
    rounded = graph.op("QuantizeLinear", tokens, scales, zeros, axis=0)
    product = _product(graph, rounded, graph.constant(1, np.float32), weight)
    return graph.op("Reshape", graph.op("Mul", product, graph.op("Unsqueeze", scales, last)), shape)


class Int8:
    """The linear layers of an encoder in int8; `ranges` are those of their inputs."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges

    def after_norm(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """`x` [b, L, n], which a norm gave, through a linear layer."""
        reach, weight = self.ranges[module], array(module.weight).T
        divisors = smoothing(reach, weight)
        smooth = graph.op("Mul", x, graph.weight(1 / divisors))
        rounded, scale = _rounded(graph, smooth, (reach / divisors).max())
        return _product(graph, rounded, scale, weight * divisors[:, None], array(module.bias))

    def after_attention(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """`x` [b, L, n], which an attention gave, through a linear layer."""
        rounded, scale = _rounded(graph, x, self.ranges[module].max())
        return _product(graph, rounded, scale, array(module.weight).T, array(module.bias))

    def after_activation(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """`x` [b, L, n], which an activation gave, through a linear layer."""
        width = module.out_features
        shape = graph.once(f"shape of {width}", lambda root: _shape(root, width))
        product = _by_token(graph, x, array(module.weight).T, shape, positive=True)
        return graph.op("Add", product, graph.weight(array(module.bias)))

    def attention(
        self, graph: Graph, x: str, mask: str, projections: Sequence[nn.Linear], heads: int, bias: str | None
    ) -> str:
        """The attention [b, L, d] of queries, keys and values that the projections make of `x` [b, L, d]."""
        weights = np.concatenate([array(module.weight).T for module in projections], axis=1)
        biases = np.concatenate([array(module.bias) for module in projections])
        rounded, scale = _rounded(graph, x, self.ranges[projections[0]].max())
        options: dict[str, Any] = {"num_heads": heads, "mask_filter_value": MASKED, "domain": MICROSOFT}
        if bias is None:
            values, by_column = quantize(weights)
            inputs = [rounded, graph.weight(values), graph.weight(biases), scale, graph.weight(by_column), mask]
            zeros = graph.weight(np.zeros(len(by_column), np.int8))
            return graph.op("QAttention", *inputs, graph.constant(ZERO, np.uint8), zeros, **options)
        parts = zip(np.split(weights, 3, axis=1), np.split(biases, 3), strict=True)
        projected = [_product(graph, rounded, scale, *part) for part in parts]
        return graph.op("MultiHeadAttention", *projected, "", mask, bias, **options)


def _shape(root: Graph, width: int) -> str:
    """That of the rows inside, however many, with so many channels, [-1, L, m]."""
    length = root.op("Shape", "input_ids", start=1, end=2)
    return root.op("Concat", root.constant([-1]), length, root.constant([width]), axis=0)


def _rounded(graph: Graph, x: str, reach: Any) -> tuple[str, str]:
    """`x`, which reaches so far, as integers, and their scale."""
    scale = graph.constant(reach / LARGEST if reach else 1, np.float32)
    return graph.op("QuantizeLinear", x, scale, graph.constant(ZERO, np.uint8)), scale


def _product(graph: Graph, rounded: str, scale: str, weight: Array, bias: Array | None = None) -> str:
    """The integers [b, L, n] of a scale times `weight` [n, m], and the bias [m], as floats."""
    values, by_column = quantize(weight)
    inputs = [rounded, graph.weight(values), scale, graph.weight(by_column), graph.constant(ZERO, np.uint8)]
    if bias is not None:
        inputs += ["", graph.weight(bias)]  # the matrix has no zero point
    return graph.op("MatMulIntegerToFloat", *inputs, domain=MICROSOFT)
