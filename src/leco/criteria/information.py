"""Entropies in nats over the last axis of arrays of probabilities [.., K].

Logarithms are of probabilities between the smallest normal float32 and 1, so that a probability of 0 gives a large
finite number, and rounding no negative one.
"""

from math import log

import numpy as np

from leco.criteria.base import Array

SMALLEST = np.finfo(np.float32).tiny
"""The smallest probability of which a logarithm is taken."""


def cross_entropy(p: Array, q: Array) -> Array:
    """`H(p, q) = -sum_k p_k log q_k`, [..]."""
    return (p * -np.log(np.clip(q, SMALLEST, 1))).sum(-1)


def entropy(p: Array) -> Array:
    """`H(p) = -sum_k p_k log p_k`, [..].

    >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).round(4)
    array([0.6931, 0.    ])
    """
    return cross_entropy(p, p)


def normalized_entropy(p: Array) -> Array:
    """`H(p) / log K`, [..], between 0 and 1."""
    return entropy(p) / log(p.shape[-1])


def jensen_shannon(p: Array, q: Array) -> Array:
    """`H((p + q) / 2) - (H(p) + H(q)) / 2`, [..], between 0 (equal) and log 2.

    >>> jensen_shannon(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(4)
    array([0.6931])
    """
    return np.maximum(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, 0)
