"""Conformal risk control."""

from typing import ClassVar

import numpy as np

from leco.calibration.rules.base import Array, Rule


class ConformalRiskControl(Rule):
    """The mean loss, with one text more that is lost, must lie within the bound: `(n R + 1) / (n + 1) <= bound`.

    That promises an expectation: the risk is within the bound on average over calibrations, not in each. The loss must
    not fall along the order. That of each text is therefore its running maximum from the conservative end, which is no
    smaller, so that what is promised for it holds for the loss.

    Source: Angelopoulos et al., 2208.02814; for early exits 2405.20915.
    """

    name: ClassVar[str] = "crc"
    confident: ClassVar[bool] = False
    promise: ClassVar[str] = "on average over calibrations"

    def passes(self, losses: Array, bound: float, delta: float) -> Array:
        """`R <= ((n + 1) bound - 1) / n`."""
        rows = losses.shape[-1]
        rising = np.maximum.accumulate(losses, axis=-2)
        return rising.sum(-1) <= (rows + 1) * bound - 1 + 1e-9

    def share(self, bound: float, delta: float, chains: int) -> tuple[float, float]:
        """Expectations add up: each order has a share of the bound."""
        return bound / chains, delta
