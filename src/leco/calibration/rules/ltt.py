"""Learn then Test with a fixed sequence."""

from typing import ClassVar

from leco.calibration.bounds import binomial_p, hoeffding_bentkus_p
from leco.calibration.rules.base import Array, Rule


class LearnThenTest(Rule):
    """Each setting is tested in its turn, "its risk is above the bound", until a test fails.

    The p values are exact binomial ones for losses of 0 and 1, else those of Hoeffding and Bentkus. The risk is within
    the bound with a probability of at least `1 - delta`, whether or not it rises along the order.

    Source: Angelopoulos et al., 2110.01052, section 3; for early exits 2405.20915.
    """

    name: ClassVar[str] = "ltt"
    promise: ClassVar[str] = "with {confidence} confidence"

    def passes(self, losses: Array, bound: float, delta: float) -> Array:
        """`p <= delta`."""
        rows = losses.shape[-1]
        if losses.dtype == bool:
            return binomial_p(losses.sum(-1), rows, bound) <= delta
        return hoeffding_bentkus_p(losses.mean(-1), rows, bound) <= delta
