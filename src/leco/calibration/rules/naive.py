"""The mean loss taken for the risk, as `max_drop` does in the choice of a criterion."""

from typing import ClassVar

import numpy as np

from leco.calibration.rules.base import Array, Rule


class Naive(Rule):
    """The most aggressive setting whose mean loss is within the bound. It promises nothing, and is for comparison.

    Source: no one's; what the choice of thresholds on dev comes to.
    """

    name: ClassVar[str] = "naive"
    confident: ClassVar[bool] = False
    promise: ClassVar[str] = ""
    stops: ClassVar[bool] = False

    def passes(self, losses: Array, bound: float, delta: float) -> Array:
        """The mean loss is within the bound."""
        return losses.mean(-1) <= bound + 1e-9

    def select(self, losses: Array, bound: float, delta: float) -> Array:
        """The last that passes, whatever is before it; -1 where none does."""
        passed = self.passes(losses, bound, delta)
        last = passed.shape[-1] - 1 - np.argmax(passed[..., ::-1], axis=-1)
        return np.where(passed.any(-1), last, -1)
