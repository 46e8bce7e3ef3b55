"""What a training takes from the labels of its rows, and a model keeps."""

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True)
class LabelStatistics:
    """Statistics of the labels of the training rows; with the defaults nothing is scaled or weighed.

    Attributes:
        mean, std: of the values of a regression, in their unit. Exits learn `(value - mean) / std`.
        weights: how much each label [K] weighs in the loss; None where all weigh the same.

    """

    mean: float = 0.0
    std: float = 1.0
    weights: tuple[float, ...] | None = None

    def fits(self, num_outputs: int) -> bool:
        """Whether labels of so many outputs can have them."""
        weights = [1.0] * num_outputs if self.weights is None else self.weights
        positive = (self.std, *weights)
        return len(weights) == num_outputs and all(map(isfinite, (self.mean, *positive))) and min(positive) > 0


NO_STATISTICS = LabelStatistics()
"""Those of labels of which nothing is known."""
