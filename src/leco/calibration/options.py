"""The settings of a calibration."""

from dataclasses import dataclass

from leco.calibration.losses import LOSSES, WORSE
from leco.calibration.rules import RULES
from leco.errors import LecoError, parameter
from leco.options import option, validate

DROP = 0.02
"""What early answers may cost where nothing else is asked for."""


@dataclass(frozen=True)
class CalibrationOptions:
    """What is to be certified: a bound (`max_drop`), or the best that goes with a speed; LecoError for two of them."""

    max_drop: float | None = option(
        None,
        f"Share of texts that early answers may cost, 0 to 1; of values, deviations. By default {DROP}, but for a goal "
        "of speed.",
        above=0,
        below=1,
    )
    confidence: float = option(0.9, "Confidence of the promise, between 0.5 and 1.", above=0.5, below=1)
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
        goals = [name for name in ("max_drop", "target_speedup", "budget_ms") if getattr(self, name) is not None]
        if len(goals) > 1:
            raise LecoError(f"{' and '.join(map(parameter, goals[:2]))} are two goals. Give one of them.")

    @property
    def bound(self) -> float:
        """The risk that is allowed where no speed is the goal."""
        return DROP if self.max_drop is None else self.max_drop

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
        "Share of texts that may be answered otherwise than at full depth, below 1; by default what the certificate "
        "promises.",
        above=0,
        below=1,
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
