"""The settings of a calibration."""

from dataclasses import dataclass

from leco.calibration.losses import LOSSES, WORSE
from leco.calibration.rules import RULES
from leco.errors import LecoError, parameter
from leco.options import option, validate


@dataclass(frozen=True)
class CalibrationOptions:
    """What is to be certified."""

    max_drop: float = option(
        0.02, "Share of texts that early answers may cost, 0 to 1; of values, deviations.", above=0, maximum=1
    )
    confidence: float = option(0.9, "Confidence of the promise, between 0.5 and 1.", above=0.5, maximum=1)
    loss: str = option(
        WORSE,
        "What counts: worse (wrong though full depth is right), or disagreement with it, which needs no labels.",
        choices=LOSSES,
    )
    method: str = option(
        "ltt",
        "ltt (Learn then Test), ucb (a betting bound), crc (promises an average) or naive (promises nothing).",
        choices=RULES,
    )
    target_speedup: float | None = option(
        None, "Take the least risky setting that divides the layers by this much, and state its bound.", above=1
    )
    budget_ms: float | None = option(
        None,
        "Take the least risky setting that answers a text in so many milliseconds here, and state its bound.",
        above=0,
    )

    def __post_init__(self) -> None:
        validate(self)
        for name in ("max_drop", "confidence"):
            if getattr(self, name) >= 1:
                raise LecoError(f"{parameter(name)} must be below 1, not {getattr(self, name)}.")
        if self.target_speedup is not None and self.budget_ms is not None:
            names = f"{parameter('target_speedup')} and {parameter('budget_ms')}"
            raise LecoError(f"{names} are two goals. Give one of them.")

    @property
    def delta(self) -> float:
        """The probability with which the promise may fail."""
        return 1 - self.confidence


@dataclass(frozen=True)
class MonitorOptions:
    """How answers are watched while they are given."""

    monitor: str | None = option(
        None, "JSON file in which comparisons of answers with full depth are counted, over all processes that name it."
    )
    monitor_share: float = option(0.01, "Share of the texts that are compared, 0 to 1.", above=0, maximum=1)
    monitor_bound: float | None = option(
        None,
        "Share of texts that may be answered otherwise than at full depth; by default what the certificate promises.",
        above=0,
        maximum=1,
    )
    monitor_alpha: float = option(
        0.05, "Probability of a false alarm, however long the monitor runs.", above=0, maximum=0.5
    )
    fall_back: bool = option(False, "Answer all texts at full depth once the promise is contradicted.")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True)
class VerificationOptions:
    """How a certificate is tested."""

    significance: float = option(
        0.05, "How likely a bound that is kept is called exceeded, and contradicted.", above=0, maximum=0.5
    )

    def __post_init__(self) -> None:
        validate(self)
