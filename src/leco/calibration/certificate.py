"""What is promised of a model's early answers: a statement that can be kept, checked and contradicted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil, floor
from typing import Any

from leco.calibration.losses import LOSSES
from leco.calibration.rules import RULES
from leco.criteria import Criterion, criterion_from_dict
from leco.errors import LecoError
from leco.shapes import changed, checked

WHERE = "the certificate"


@dataclass(frozen=True)
class Certificate:
    """A bound on the risk of answering early: the mean loss against full depth, over all texts like the calibration's.

    Attributes:
        criterion: name and settings of the exit criterion that it is for.
        runtime, precision: what computed the answers that were calibrated, and in which precision (`Predictor`).
        loss: a name in `leco.calibration.LOSSES`.
        bound: what the risk is at most: a share of the texts or, of values, in `unit`s.
        disagreement: the share of texts that are answered otherwise than at full depth is at most this, whatever the
            loss, with the confidence that was asked for: what a monitor watches; of values the mean distance.
        confidence: with which that is so, over the choice of the calibration texts; None of a method without one.
        method: a name in `leco.calibration.RULES`.
        rows, errors: the number of calibration texts, and the sum of their losses.
        mean_exit_layer: the mean layer at which they leave.
        settings: how many settings there were, in an order fixed before; 1 where there was nothing to select.
        data, fingerprint: the name of the calibration texts, and the hash of texts and labels (`Split.fingerprint`).
        seen: the sketch of the texts, by which a verification knows them again (`leco.sketches`).
        unit: the standard deviation by which the errors of values are measured; None where answers are labels.
        versions, date: of the libraries, and of the calibration.

    """

    criterion: dict[str, Any]
    runtime: str
    precision: str
    loss: str
    bound: float
    disagreement: float
    confidence: float | None
    method: str
    rows: int
    errors: float
    mean_exit_layer: float
    settings: int
    data: str
    fingerprint: str
    seen: str = ""
    unit: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any] | None) -> "Certificate | None":
        """What `to_dict` gave; None where there is none. LecoError for anything else."""
        if value is None:
            return None
        found = checked(cls, value, WHERE)
        try:
            criterion_from_dict(found.criterion)
            LOSSES[found.loss]
            rule = RULES[found.method]
        except LecoError as error:
            raise changed(WHERE, str(error)) from error
        bounds = found.bound, found.disagreement
        possible = min(bounds) >= 0 and max(bounds) <= 1 and found.rows > 0 and 0 <= found.errors <= found.rows
        possible = possible and (found.unit is None or found.unit > 0)
        if not possible or rule.confident != (found.confidence is not None and 0.5 < found.confidence < 1):
            raise changed(WHERE, "its numbers are those of no calibration")
        return found

    @property
    def exits(self) -> Criterion:
        """The exit criterion that it is for."""
        return criterion_from_dict(self.criterion)

    def sentence(self) -> str:
        """What it says, for people."""
        loss, rule = LOSSES[self.loss], RULES[self.method]
        about = f"{self.rows:,} texts of '{self.data}'"
        if self.unit is None:
            what, seen = f"at most {percent(self.bound)} of texts {loss.texts}", f"{self.errors:g} of {about}"
        else:
            most = f"at most {self.bound * self.unit:.4g}, counting no text more than {self.unit:.4g}"
            what = f"on average {loss.values} {most}"
            seen = f"{self.errors * self.unit / self.rows:.4g} on {about}"
        if not rule.promise:
            return f"No promise: by the mean alone, {what} ({seen}; method {self.method})."
        confidence = "" if self.confidence is None else percent(self.confidence, least=True)
        promise = rule.promise.format(confidence=confidence)
        return f"{promise[0].upper()}{promise[1:]}, {what} ({seen}; method {self.method})."

    def doubt(self, criterion: Criterion, precision: str) -> str:
        """Why it says nothing of answers by this criterion in this precision, in a sentence; empty where it does.

        In float32 all runtimes give the same answers but for rounding; in another precision answers are others.
        """
        if criterion != self.exits:
            return f"The certificate does not hold: it is for '{self.exits}', but texts leave by '{criterion}'."
        if precision != self.precision:
            return (
                f"The certificate does not hold: it is for answers in {self.precision}, but these are in {precision}."
            )
        return ""


def percent(share: float, *, least: bool = False) -> str:
    """A share for people, rounded up to what is shown, so that a bound stays one; down where it is the `least`.

    >>> percent(0.02), percent(0.01234567), percent(0.9)
    ('2 %', '1.235 %', '90 %')
    >>> percent(0.02, least=True), percent(0.01234567, least=True), percent(0.9999999, least=True)
    ('2 %', '1.234 %', '99.999 %')
    """
    digits = 5
    shown = round(share * 10**digits, 4)
    rounded = (floor(shown) if least else ceil(shown)) / 10**digits
    return f"{100 * rounded:.6g} %"
