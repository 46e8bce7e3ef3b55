"""One label for each text, of several."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leco.problems.base import Array, Label, Nodes, Problem, entropy_share, kl_divergence

if TYPE_CHECKING:
    from torch import Tensor


class SingleLabel(Problem):
    """Each text has one of K labels: softmax and cross-entropy. Labels are int64 [N].

    `statistics` has the weights of labels in the loss, as a training learned them.

    >>> SingleLabel().predictions(np.array([[0.1, 0.9]]))
    array([1])
    """

    name: ClassVar[str] = "single_label_classification"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "f1_macro", "f1", "matthews", "accuracy_f1")
    dtype: ClassVar[type[np.generic]] = np.int64
    fewest_outputs: ClassVar[int] = 2

    def encode(self, found: Sequence[float], num_outputs: int) -> Array:
        """The one place."""
        (place,) = found
        return np.array(place, self.dtype)

    def balance(self, labels: Array, num_outputs: int) -> tuple[float, ...]:
        """`N / (C n_k)` where n_k of N rows have label k, and C labels have rows."""
        counts = np.bincount(labels, minlength=num_outputs)
        balanced = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return tuple(np.where(counts > 0, balanced, 1.0).tolist())

    def renumber(self, labels: Array, places: Array, num_outputs: int) -> Array:
        """Look each up."""
        return places[labels]

    def has_label(self, labels: Array, index: int) -> Array:
        """Those of this number."""
        return labels == index

    def scores(self, logits: Array) -> Array:
        """Softmax."""
        from scipy.special import softmax

        return softmax(logits, axis=-1)

    def torch_scores(self, logits: Tensor) -> Tensor:
        """Softmax."""
        return logits.softmax(-1)

    def onnx_scores(self, graph: Nodes, logits: str) -> str:
        """Softmax."""
        return graph.op("Softmax", logits, axis=1)

    def predictions(self, scores: Array) -> Array:
        """The number of the label with the largest probability."""
        return scores.argmax(-1)

    def confidence(self, scores: Array) -> Array:
        """The largest probability."""
        return scores.max(-1)

    def named(self, label: Any, names: Sequence[str]) -> Label:
        """Its name."""
        return names[int(label)]

    def distributions(self, scores: Array) -> Array:
        """The scores are one distribution."""
        return scores

    def onnx_distributions(self, graph: Nodes, scores: str) -> str:
        """The scores."""
        return scores

    def largest_entropy(self, num_outputs: int) -> float:
        """That of K equal probabilities."""
        return log(num_outputs)

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy; where labels have weights, times that of the row's, whose mean over the training rows is 1."""
        from torch.nn.functional import cross_entropy

        losses = cross_entropy(logits, labels, reduction="none")
        if self.statistics.weights is None:
            return losses
        return losses * logits.new_tensor(self.statistics.weights)[labels]

    def wrongness(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Whether another label has the largest logit."""
        return logits.argmax(-1) != labels.unsqueeze(1)

    def uncertainty(self, logits: Tensor) -> Tensor:
        """`H(p) / log K`."""
        return entropy_share(logits)

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """`KL(p_teacher || p_student)` in nats."""
        return kl_divergence(teacher, student)
