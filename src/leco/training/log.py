"""What a training did, as it is written and read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leco.files import read_json, write_json
from leco.shapes import checked


@dataclass(frozen=True)
class TrainingLog:
    """What a training did.

    Attributes:
        epochs: one row for each epoch of each phase, with the dev scores of all exits.
        seconds: the duration of all epochs together.
        cpu_seconds: the processor's time for them, over all threads: what other work on the machine hardly changes.

    """

    epochs: list[dict[str, Any]]
    seconds: float
    cpu_seconds: float

    @classmethod
    def of(cls, epochs: Sequence[dict[str, Any]]) -> "TrainingLog":
        """The log of these epochs, each with its `seconds` and `cpu_seconds`."""
        return cls(list(epochs), *(float(sum(row[name] for row in epochs)) for name in ("seconds", "cpu_seconds")))

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "TrainingLog":
        """Read what `save` wrote; LecoError where the file is missing or of another shape."""
        return checked(cls, read_json(path), f"'{path}'")
