"""Risk-controlling prediction sets: an upper confidence bound of the risk."""

from typing import ClassVar

import numpy as np

from leco.calibration.bounds import capital
from leco.calibration.rules.base import Array, Rule


class UpperConfidenceBound(Rule):
    """Each setting's upper confidence bound, by betting, must lie within the bound, until one does not.

    Bets are placed text by text and hold for texts in random order. Files are sorted by label, source or date: an order
    is drawn, always the same one, so that what the file's may be does not matter.

    The same promise as Learn then Test, by another bound: it is tighter for losses that are no errors of 0 and 1.

    Source: Bates et al., 2101.02703; the bound: Waudby-Smith and Ramdas, 2010.09686.
    """

    name: ClassVar[str] = "ucb"
    promise: ClassVar[str] = "with {confidence} confidence"

    def passes(self, losses: Array, bound: float, delta: float) -> Array:
        """The bet against "the risk is above the bound" reaches `1 / delta`."""
        order = np.random.default_rng(0).permutation(losses.shape[-1])
        return capital(losses[..., order], bound, delta) >= 1 / delta
