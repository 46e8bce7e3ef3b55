"""Whether running answers contradict a promised rate of disagreement with full depth, at any time."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import count
from math import inf, log
from typing import Any

import numpy as np
import scipy  # its modules load when they are asked for
from numpy.typing import NDArray

from leco.calibration.certificate import percent
from leco.errors import LecoError
from leco.shapes import changed, checked

Array = NDArray[Any]
SMALL = 1e-290
"""A share of a distribution that floats still hold in full; below it they have fewer digits, and then none."""


def log_evidence(disagreements: Any, rows: Any, rate: Any, expected: float) -> Any:
    """The logarithm of the evidence against "the rate is at most `rate`", for so many disagreements among so many rows.

    It is the capital of a gambler who bets against that rate, row by row, with all rates q above it in a mixture: the
    mean of `(q / rate)^s ((1 - q) / (1 - rate))^(n - s)` over `q ~ Beta(1, 1 / expected - 1)`, given that `q > rate`,
    where s of n rows disagree. If the rate is no more than `rate`, it ever reaches `1 / alpha` with a probability of
    at most `alpha` (Ville), however often one looks; so it is where rows disagree by parts between 0 and 1. It depends
    on the counts alone, so that those of several processes can be added up.

    Source: Waudby-Smith and Ramdas, 2010.09686, section 4; the mixture is that of Robbins (1970).

    >>> float(log_evidence(0, 100, 0.02, expected=0.02)) < 0 < float(log_evidence(6, 100, 0.02, expected=0.02))
    True
    """
    b = 1 / expected - 1
    seen = _log_beta_above(1 + disagreements, b + rows - disagreements, rate)
    before = b * np.log1p(-rate) - log(b)
    return seen - before - disagreements * np.log(rate) - (rows - disagreements) * np.log1p(-rate)


def _log_beta_above(a: Any, b: Any, low: Any) -> Any:
    """The logarithm of `integral of q^(a-1) (1-q)^(b-1)` over q from `low` to 1, however little of it that is."""
    a, b, low = np.broadcast_arrays(a, b, low)
    share = np.asarray(scipy.special.betaincc(a, b, low))
    found = np.asarray(scipy.special.betaln(a, b) + np.log(np.maximum(share, SMALL)))
    far = share < SMALL
    if far.any():
        found[far] = _log_beta_far_above(a[far], b[far], low[far])
    return found


def _log_beta_far_above(a: Array, b: Array, low: Array) -> Array:
    """The same where `low` is far above the distribution's mean: by the continued fraction, which has few terms there.

    Source: DLMF 8.17.22, for `I_x(b, a)` with `x = 1 - low`; evaluated by Lentz's algorithm.
    """
    x = 1 - low
    above, below = np.ones_like(x), 1 / (1 - (a + b) / (b + 1) * x)
    fraction = below
    for m in count(1):
        even = m * (a - m) * x / ((b + 2 * m - 1) * (b + 2 * m))
        odd = -(b + m) * (a + b + m) * x / ((b + 2 * m) * (b + 2 * m + 1))
        before = fraction
        for term in (even, odd):
            above, below = 1 + term / above, 1 / (1 + term * below)
            fraction = fraction * above * below
        if np.allclose(fraction, before, rtol=1e-14, atol=0):
            break
    return np.asarray(a * np.log(low) + b * np.log1p(-low) - np.log(b) + np.log(fraction))


@dataclass(frozen=True)
class Watch:
    """What has been seen of the rate at which early answers disagree with full depth, beside what is promised.

    Attributes:
        bound: the promised rate, between 0 and 1.
        alpha: the probability of ever saying that it is contradicted where it holds.
        texts: answers that were watched.
        checked: how many of them went on to full depth.
        disagreements: the sum of their losses, from 0 to 1 each.
        alarm: what the evidence was when it first contradicted the promise: `checked` and `disagreements`.

    Raises LecoError for numbers that cannot be.

    >>> watch = Watch(bound=0.02).seen(texts=1000, losses=np.array([0, 0, 1]))
    >>> watch.checked, watch.disagreements, watch.alarm
    (3, 1.0, None)

    """

    bound: float
    alpha: float = 0.05
    texts: int = 0
    checked: int = 0
    disagreements: float = 0.0
    alarm: dict[str, float] | None = None

    def __post_init__(self) -> None:
        if not (0 < self.bound < 1 and 0 < self.alpha < 1):
            raise LecoError(f"A promise and an alpha lie between 0 and 1: not {self.bound:g} and {self.alpha:g}.")
        if not 0 <= self.disagreements <= self.checked <= self.texts:
            raise LecoError("More texts disagree than were checked, or more were checked than answered.")
        if self.alarm is not None and not self._raised(self.alarm):
            raise LecoError("Its alarm is none that these counts can have raised.")

    def seen(self, texts: int, losses: Array) -> "Watch":
        """With so many more answers, of which some were checked: their losses [n], from 0 to 1."""
        return self + replace(self, texts=texts, checked=len(losses), disagreements=float(np.sum(losses)), alarm=None)

    def __add__(self, other: "Watch") -> "Watch":
        """With what another process has seen; LecoError where that watched another promise."""
        if (self.bound, self.alpha) != (other.bound, other.alpha):
            raise LecoError(
                f"These watch two promises: {percent(self.bound)} (alpha {self.alpha:g}) and {percent(other.bound)} "
                f"(alpha {other.alpha:g})."
            )
        both = replace(
            self,
            texts=self.texts + other.texts,
            checked=self.checked + other.checked,
            disagreements=self.disagreements + other.disagreements,
            alarm=self.alarm or other.alarm,
        )
        if both.alarm is None and both.evidence >= log(1 / self.alpha):
            return replace(both, alarm={"checked": both.checked, "disagreements": both.disagreements})
        return both

    def _raised(self, alarm: dict[str, float]) -> bool:
        """Whether an alarm has its two counts, no larger than those of now, and they contradict the promise."""
        if set(alarm) != {"checked", "disagreements"}:
            return False
        checked, disagreements = alarm["checked"], alarm["disagreements"]
        within = 0 <= disagreements <= min(checked, self.disagreements) and checked <= self.checked
        seen = log_evidence(disagreements, checked, self.bound, self.bound)
        return bool(within and seen >= log(1 / self.alpha) - 1e-6)

    @property
    def evidence(self) -> float:
        """The logarithm of the evidence against the promise; the alarm is at `log(1 / alpha)`."""
        return float(log_evidence(self.disagreements, self.checked, self.bound, self.bound))

    @cached_property
    def lowest(self) -> float:
        """The lower end of the confidence sequence of the rate: all rates below it are contradicted by now.

        What once was contradicted stays so, whatever comes: at least the promise is, after an alarm.
        """
        if self.alarm is not None:
            then = replace(self, checked=int(self.alarm["checked"]), disagreements=self.alarm["disagreements"])
            return max(self.bound, replace(then, alarm=None).lowest, replace(self, alarm=None).lowest)
        if not self.disagreements:
            return 0.0

        def missing(rate: float) -> float:
            return log(1 / self.alpha) - float(log_evidence(self.disagreements, self.checked, rate, self.bound))

        rate, least = self.disagreements / self.checked, 1e-12
        if missing(least) > 0:
            return 0.0
        return float(scipy.optimize.brentq(missing, least, min(rate, 1 - 1e-12)))

    def sentence(self) -> str:
        """What has been seen, for people."""
        counts = f"{self.disagreements:.6g} of {self.checked:,} texts that were checked disagree with full depth"
        if self.alarm is None:
            return f"Nothing contradicts the promised {percent(self.bound)}: {counts}."
        sure = f"with confidence {1 - self.alpha:.6g} their share is above {percent(self.lowest, least=True)}"
        return f"The promised {percent(self.bound)} is contradicted: {counts}; {sure}."

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], where: str) -> "Watch":
        """What `to_dict` gave; LecoError for anything else, which begins with `where`."""
        try:
            return checked(cls, value, where)
        except LecoError as error:
            if str(error).startswith(where):
                raise
            raise changed(where, str(error)) from error


def first_alarms(rows: int, bound: float, alpha: float) -> Array:
    """The fewest disagreements [rows] that raise the alarm after 1, 2, .. rows; infinite where none do.

    What simulations need: it is the same alarm as a `Watch`'s with this `bound` and `alpha`.

    >>> first_alarms(rows=4, bound=0.02, alpha=0.05)
    array([inf, inf, inf,  4.])
    """
    fewest = np.full(rows, inf)
    least = 1
    for n in range(1, rows + 1):
        while least <= n and log_evidence(least, n, bound, bound) < log(1 / alpha):
            least += 1
        if least <= n:
            fewest[n - 1] = least
    return fewest
