"""Any number of labels for each text, none of which says anything of another."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leco.problems.base import Array, Label, Nodes, Problem, entropy_share, kl_divergence

if TYPE_CHECKING:
    from torch import Tensor

THRESHOLD = 0.5
"""The probability above which a text is said to have a label."""


class ManyLabels(Problem):
    """Each of K labels holds or not: sigmoid and binary cross-entropy. Labels are 0 and 1, float32 [N, K].

    `statistics` has the weights of labels in the loss, as a training learned them.

    >>> ManyLabels().predictions(np.array([[0.1, 0.9, 0.8]]))
    array([[0, 1, 1]])
    """

    name: ClassVar[str] = "multi_label_classification"
    metrics: ClassVar[tuple[str, ...]] = ("f1_micro", "f1_macro", "accuracy")
    dtype: ClassVar[type[np.generic]] = np.float32
    has_lists: ClassVar[bool] = True

    def label_shape(self, num_outputs: int) -> tuple[int, ...]:
        """0 or 1 for each label."""
        return (num_outputs,)

    def encode(self, found: Sequence[float], num_outputs: int) -> Array:
        """1 at each place."""
        return np.isin(np.arange(num_outputs), found).astype(self.dtype)

    def balance(self, labels: Array, num_outputs: int) -> tuple[float, ...]:
        """How many rows lack label k, for each that has it."""
        having = labels.sum(0)
        lacking = len(labels) - having
        return tuple(np.where((having > 0) & (lacking > 0), lacking / np.maximum(having, 1), 1.0).tolist())

    def renumber(self, labels: Array, places: Array, num_outputs: int) -> Array:
        """Move the columns."""
        moved = np.zeros((len(labels), num_outputs), labels.dtype)
        moved[:, places] = labels
        return moved

    def has_label(self, labels: Array, index: int) -> Array:
        """Those with 1 in the column."""
        return labels[:, index] == 1

    def scores(self, logits: Array) -> Array:
        """Sigmoid."""
        from scipy.special import expit

        return expit(logits)

    def torch_scores(self, logits: Tensor) -> Tensor:
        """Sigmoid."""
        return logits.sigmoid()

    def onnx_scores(self, graph: Nodes, logits: str) -> str:
        """Sigmoid."""
        return graph.op("Sigmoid", logits)

    def predictions(self, scores: Array) -> Array:
        """1 where the probability is above one half, else 0: int64 [.., K]."""
        return (scores > THRESHOLD).astype(np.int64)

    def right(self, scores: Array, labels: Array) -> Array:
        """All labels are as predicted."""
        return np.all(super().right(scores, labels), axis=-1)

    def confidence(self, scores: Array) -> Array:
        """The product over the labels, none of which says anything of another."""
        return np.maximum(scores, 1 - scores).prod(-1)

    def named(self, label: Any, names: Sequence[str]) -> Label:
        """The names of those that hold."""
        return tuple(name for name, holds in zip(names, label, strict=True) if holds)

    def distributions(self, scores: Array) -> Array:
        """Each label is a distribution over yes and no: [.., 2K], all labels' yes first."""
        return np.concatenate([scores, 1 - scores], axis=-1)

    def onnx_distributions(self, graph: Nodes, scores: str) -> str:
        """Each label is a distribution over yes and no."""
        return graph.op("Concat", scores, graph.op("Sub", graph.constant(1, np.float32), scores), axis=1)

    def largest_entropy(self, num_outputs: int) -> float:
        """That of K undecided labels."""
        return num_outputs * log(2)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy, a mean over the labels too; the weight of a label counts where a row has it."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        weights = self.statistics.weights
        having = None if weights is None else logits.new_tensor(weights)
        target = labels.to(logits.dtype)
        return binary_cross_entropy_with_logits(logits, target, pos_weight=having, reduction="none").mean(-1)

    def wrongness(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Whether some label is predicted wrongly."""
        return ((self.torch_scores(logits) > THRESHOLD) != (labels.unsqueeze(1) > 0)).any(-1)

    def uncertainty(self, logits: Tensor) -> Tensor:
        """The mean over the labels of `H / log 2`."""
        return entropy_share(self._outcomes(logits)).mean(-1)

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """`KL(p_teacher || p_student)` in nats, summed over the labels."""
        return kl_divergence(self._outcomes(teacher), self._outcomes(student))

    @staticmethod
    def _outcomes(logits: Tensor) -> Tensor:
        """The logits l and 0 of the two outcomes of each label, [.., K, 2]."""
        import torch

        return torch.stack([logits, torch.zeros_like(logits)], dim=-1)
