"""What a selection rule is: which of the settings, in an order fixed before, the calibration texts allow.

Shapes: S settings from conservative to aggressive, N texts; `..` are any dimensions before them, such as resamples.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Rule(ABC):
    """A selection rule. Losses are bool, or floats from 0 to 1.

    `confident` says whether it promises with a confidence; `promise` begins the sentence of what it promises, and is
    empty where that is nothing. With `stops`, settings behind the first that fails are of no account.
    """

    name: ClassVar[str]
    confident: ClassVar[bool] = True
    promise: ClassVar[str]
    stops: ClassVar[bool] = True

    @abstractmethod
    def passes(self, losses: Array, bound: float, delta: float) -> Array:
        """Which settings, bool [.., S], losses [.., S, N] allow, each taken for itself: risk `bound`, error `delta`."""

    def select(self, losses: Array, bound: float, delta: float) -> Array:
        """The place [..] of the last setting before the first that fails; -1 where none is allowed.

        Never the failing one itself: on a coarse grid its risk may be anything.
        """
        return np.logical_and.accumulate(self.passes(losses, bound, delta), axis=-1).sum(-1) - 1

    def share(self, bound: float, delta: float, chains: int) -> tuple[float, float]:
        """Bound and error of each of several orders of settings, among whose selections one is taken (Bonferroni)."""
        return bound, delta / chains


def rows_needed(rule: Rule, bound: float, delta: float) -> int:
    """The fewest texts that can certify `bound`: so many without any loss; see `MOST`.

    >>> from leco.calibration.rules import RULES
    >>> rows_needed(RULES["ltt"], 0.02, 0.1), rows_needed(RULES["ltt"], 0.01, 0.1)
    (114, 230)
    """

    def enough(rows: int) -> bool:
        return bool(rule.passes(np.zeros((1, rows), bool), bound, delta)[0])

    low, high = 0, 1
    while high < MOST and not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def bound_of(rule: Rule, losses: Array, delta: float, chains: int = 1) -> float:
    """The smallest bound that losses [N] allow a setting that was fixed before they were seen; 1 where none does.

    Of losses of 0 and 1 that of Learn then Test is the upper bound of Clopper and Pearson.

    >>> from leco.calibration.rules import RULES
    >>> round(bound_of(RULES["ltt"], np.zeros(114, bool), 0.1), 4)
    0.02
    """
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        passed = rule.passes(losses[None], *rule.share(middle, delta, chains))[0]
        low, high = (low, middle) if passed else (middle, high)
    return high


MOST, HALVINGS = 2**24, 50
"""Rows beyond which nobody counts, and how often an interval is halved: to within 1e-15."""
