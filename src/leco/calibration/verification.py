"""Whether new texts contradict a certificate."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.calibration.bounds import binomial_contradiction_p, hoeffding_bentkus_p
from leco.calibration.certificate import Certificate, percent
from leco.calibration.rules import RULES


@dataclass(frozen=True)
class Verification:
    """A test of "the risk is at most the certificate's bound" on new texts.

    Attributes:
        rows, errors: the number of texts, and the sum of their losses.
        p_value: how likely so many errors, or more, are where the risk is just the bound.
        significance: the p value at which the bound is exceeded: the probability that it is where the risk is within.
        certificate: what was tested.

    """

    rows: int
    errors: float
    p_value: float
    significance: float
    certificate: Certificate

    @property
    def exceeded(self) -> bool:
        """Whether the risk is surely above the bound."""
        return self.p_value <= self.significance

    @property
    def contradicted(self) -> bool:
        """Whether that contradicts the certificate, which it does not where an average is promised, or nothing."""
        return self.exceeded and RULES[self.certificate.method].confident

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "exceeded": self.exceeded, "contradicted": self.contradicted}

    def sentence(self) -> str:
        """What came of it, for people."""
        seen = f"the mean loss of {self.rows:,} texts is {percent(self.errors / self.rows)}"
        if self.certificate.unit is None:
            seen = f"{self.errors:g} of {self.rows:,} texts ({percent(self.errors / self.rows)}) are lost"
        against = f"where the certificate allows {percent(self.certificate.bound)} (p value {self.p_value:.3g})"
        if self.contradicted:
            verdict = "These texts contradict the certificate"
        elif self.exceeded:
            promise = RULES[self.certificate.method].promise
            about = f"which is promised {promise} alone" if promise else "of which nothing is promised"
            verdict = f"The risk is above the bound, {about}"
        else:
            verdict = "Nothing contradicts the certificate"
        return f"{verdict}: {seen}, {against}."


def verify_losses(certificate: Certificate, losses: NDArray[Any], significance: float) -> Verification:
    """The test of a `certificate` with the `losses` [N] of new texts, bool or from 0 to 1, by a p value.

    It is `P(Binomial(N, bound) >= errors)` where losses are bool, else that of Hoeffding and Bentkus, and the
    certificate is contradicted where it is at most the `significance`.

    Source: Bates et al., 2101.02703; 2110.01052, section 2.
    """
    rows, errors = len(losses), float(losses.sum())
    if losses.dtype == bool:
        p_value = binomial_contradiction_p(errors, rows, certificate.bound)
    elif certificate.bound >= 1:
        p_value = 1.0
    else:  # the mean of `1 - loss` is at least `1 - bound`
        p_value = hoeffding_bentkus_p(1 - np.mean(losses), rows, 1 - certificate.bound)
    return Verification(rows, errors, float(p_value), significance, certificate)
