"""A value for each text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leco.problems.base import Array, Label, Nodes, Problem

if TYPE_CHECKING:
    from torch import Tensor


class Regression(Problem):
    """Each text has a number, the one output itself: squared error. Labels are float32 [N]."""

    name: ClassVar[str] = "regression"
    metric: ClassVar[str] = "pearson_spearman"
    dtype: ClassVar[type[np.generic]] = np.float32
    has_names: ClassVar[bool] = False
    most_outputs: ClassVar[int | None] = 1
    reach: ClassVar[float] = 100.0  # the unit of the values is not known

    def output_names(self, label_names: Sequence[str]) -> tuple[str, ...]:
        """The one output has no label's name."""
        return tuple(label_names) or ("value",)

    def encode(self, found: Sequence[float], num_outputs: int) -> Array:
        """The value."""
        (value,) = found
        return np.array(value, self.dtype)

    def scores(self, logits: Array) -> Array:
        """As they are."""
        return logits

    def torch_scores(self, logits: Tensor) -> Tensor:
        """As they are."""
        return logits

    def onnx_scores(self, graph: Nodes, logits: str) -> str:
        """As they are."""
        return logits

    def predictions(self, scores: Array) -> Array:
        """The value."""
        return scores[..., 0]

    def named(self, label: Any, names: Sequence[str]) -> Label:
        """The value."""
        return float(label)

    def alike(self, scores: Array, previous: Array, tolerance: float) -> Array:
        """The values differ by less than `tolerance`."""
        return np.abs(self.predictions(scores) - self.predictions(previous)) < tolerance

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Squared error."""
        from torch.nn.functional import mse_loss

        return mse_loss(logits.squeeze(-1), labels.to(logits.dtype))

    def wrongness(self, logits: Tensor, labels: Tensor) -> Tensor:
        """`tanh |y_m - y|`."""
        return (logits.squeeze(-1) - labels.unsqueeze(1)).abs().tanh()

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """The squared difference of the values."""
        from torch.nn.functional import mse_loss

        return mse_loss(student, teacher)
