"""Matrices as 8-bit integers, for processors that multiply these faster."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.export.graph import MICROSOFT, Graph

Array = NDArray[Any]


def quantize(weight: Array) -> tuple[Array, Array]:
    """A matrix [n, m] as symmetric int8 and the scale [m] of each column: `weight ~ int8 * scale`."""
    largest = np.abs(weight).max(0)
    scale = np.where(largest == 0, 1, largest / 127).astype(np.float32)
    return np.round(weight / scale).astype(np.int8), scale


def matrix_product(graph: Graph, x: str, weight: Array, bias: Array | None = None) -> str:
    """`x` [.., n] times `weight` [n, m] in int8, and the bias [m]; `x` is quantized by its range when it is known."""
    values, scale = quantize(weight)
    inputs = [x, graph.weight(values), graph.weight(scale)]
    if bias is not None:
        inputs += ["", graph.weight(bias)]  # no zero points
    return graph.op("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)
