"""A value for each text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leco.problems.base import Array, Label, Nodes, Problem
from leco.problems.statistics import NO_STATISTICS, LabelStatistics

if TYPE_CHECKING:
    from torch import Tensor


class Regression(Problem):
    """Each text has a number: squared error. Labels are float32 [N].

    An exit's one logit is the value in standard deviations of the training values from their mean (`statistics`).

    >>> from leco.problems import LabelStatistics
    >>> Regression(LabelStatistics(mean=3.0, std=2.0)).scores(np.array([[0.5]]))
    array([[4.]])
    """

    name: ClassVar[str] = "regression"
    metrics: ClassVar[tuple[str, ...]] = ("r2", "pearson_spearman", "d2_absolute_error")
    dtype: ClassVar[type[np.generic]] = np.float32
    has_names: ClassVar[bool] = False
    most_outputs: ClassVar[int | None] = 1

    @property
    def reach(self) -> float:
        """A hundred standard deviations, for where there was nothing to take one of."""
        return 100.0 * self.statistics.std

    def measure(self, labels: Array, num_outputs: int, *, balanced: bool = False) -> LabelStatistics:
        """Mean and standard deviation; the latter is 1 where all values are the same."""
        values = labels.astype(np.float64)
        return LabelStatistics(float(values.mean()), float(values.std()) or 1.0)

    def output_names(self, label_names: Sequence[str]) -> tuple[str, ...]:
        """The one output has no label's name."""
        return tuple(label_names) or ("value",)

    def encode(self, found: Sequence[float], num_outputs: int) -> Array:
        """The value."""
        (value,) = found
        return np.array(value, self.dtype)

    def scores(self, logits: Array) -> Array:
        """In the unit of the values."""
        return self._scaled(logits)

    def torch_scores(self, logits: Tensor) -> Tensor:
        """In the unit of the values."""
        return self._scaled(logits)

    def torch_outputs(self, logits: Tensor) -> Tensor:
        """The values."""
        return self._scaled(logits)

    def onnx_scores(self, graph: Nodes, logits: str) -> str:
        """In the unit of the values."""
        if self.statistics == NO_STATISTICS:
            return logits
        mean, std = (graph.constant(one, np.float32) for one in (self.statistics.mean, self.statistics.std))
        return graph.op("Add", graph.op("Mul", logits, std), mean)

    def _scaled(self, logits: Any) -> Any:
        if self.statistics == NO_STATISTICS:
            return logits
        return logits * self.statistics.std + self.statistics.mean

    def _targets(self, labels: Tensor, logits: Tensor) -> Tensor:
        """What the exits learn of the labels [B]: `(value - mean) / std`."""
        return (labels.to(logits.dtype) - self.statistics.mean) / self.statistics.std

    def predictions(self, scores: Array) -> Array:
        """The value."""
        return scores[..., 0]

    def named(self, label: Any, names: Sequence[str]) -> Label:
        """The value."""
        return float(label)

    def worse(self, scores: Array, others: Array, labels: Array) -> Array:
        """`|y_m - y| - |y_M - y|` in standard deviations, from 0 to 1."""
        off, other = (np.abs(self.predictions(one) - labels) for one in (scores, others))
        return np.clip((off - other) / self.statistics.std, 0.0, 1.0)

    def disagreement(self, scores: Array, others: Array) -> Array:
        """`|y_m - y_M|` in standard deviations, at most 1."""
        return np.minimum(np.abs(self.predictions(scores) - self.predictions(others)) / self.statistics.std, 1.0)

    def alike(self, scores: Array, previous: Array, tolerance: float) -> Array:
        """The values differ by less than `tolerance`."""
        return np.abs(self.predictions(scores) - self.predictions(previous)) < tolerance

    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Squared error, in standard deviations."""
        from torch.nn.functional import mse_loss

        return mse_loss(logits.squeeze(-1), self._targets(labels, logits), reduction="none")

    def wrongness(self, logits: Tensor, labels: Tensor) -> Tensor:
        """`tanh |y_m - y|`, in standard deviations."""
        return (logits.squeeze(-1) - self._targets(labels, logits).unsqueeze(1)).abs().tanh()

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """The squared difference, in standard deviations."""
        from torch.nn.functional import mse_loss

        return mse_loss(student, teacher)
