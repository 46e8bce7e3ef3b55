"""Entropies in nats of probabilities, as in `leco.criteria.information`."""

import numpy as np

from leco.criteria.information import SMALLEST
from leco.export.graph import Graph


def cross_entropy(graph: Graph, p: str, q: str) -> str:
    """`H(p, q) = -sum_k p_k log q_k` [..], of `p` and `q` [.., K]."""
    terms = graph.op("Mul", p, logarithm(graph, q))
    return graph.op("Neg", graph.op("ReduceSum", terms, graph.constant([-1]), keepdims=0))


def entropy(graph: Graph, p: str) -> str:
    """`H(p) = H(p, p)` [..], of `p` [.., K]."""
    return cross_entropy(graph, p, p)


def logarithm(graph: Graph, p: str) -> str:
    """`log p`, of probabilities between the smallest normal float32 and 1."""
    bounds = graph.constant(SMALLEST, np.float32), graph.constant(1, np.float32)
    return graph.op("Log", graph.op("Clip", p, *bounds))
