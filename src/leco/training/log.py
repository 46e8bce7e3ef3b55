"""What a training did, as it is written and read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from leco.errors import LecoError
from leco.files import read_json, write_json
from leco.shapes import checked

TRAINING = "training.json"
"""The file in a run's folder."""


@dataclass(frozen=True)
class TrainingLog:
    """What a training did.

    Attributes:
        epochs: one row for each epoch of each phase, with the dev scores of all exits.
        seconds: the duration of all epochs together.
        asked: how many epochs each phase was to have; None in files of former versions, which have all.
        cpu_seconds: the processor's time for them, over all threads: what other work on the machine hardly changes.
        preset: the named settings that it was run with; None in files of former versions.

    """

    epochs: list[dict[str, Any]]
    seconds: float
    cpu_seconds: float
    asked: int | None = None
    preset: str | None = None

    @classmethod
    def of(cls, epochs: Sequence[dict[str, Any]], asked: int) -> "TrainingLog":
        """The log of these epochs, each with its `seconds` and `cpu_seconds`, of `asked` in each phase."""
        seconds, cpu_seconds = (float(sum(row[name] for row in epochs)) for name in ("seconds", "cpu_seconds"))
        return cls(list(epochs), seconds, cpu_seconds, asked)

    @property
    def planned(self) -> int:
        """How many epochs each phase was to have."""
        return self.asked or max(round(row["epoch"]) for row in self.epochs)

    @property
    def done(self) -> dict[str, int]:
        """How many epochs each phase has had: fewer than planned where it was stopped early."""
        return dict(Counter(row["phase"] for row in self.epochs))

    @property
    def extent(self) -> str:
        """How many epochs it has had, in words; of each phase, where they were stopped after different numbers."""
        numbers = set(self.done.values())
        if numbers == {self.planned}:
            return f"{self.planned} epochs"
        by_phase = " and ".join(f"{number} ({phase})" for phase, number in self.done.items())
        return f"{numbers.pop() if len(numbers) == 1 else by_phase} of {self.planned} epochs, stopped early"

    def best(self, phase: str, selects: str) -> float:
        """The best dev score of a phase: `avg` over all exits, or the `last` exit's."""
        return max(row[f"dev_{selects}"] for row in self.epochs if row["phase"] == phase)

    def then(self, later: "TrainingLog") -> "TrainingLog":
        """The log of this training and of a later one that began where it had ended, up to as many as it planned."""
        epochs = list(_numbered([*self.epochs, *later.epochs]))
        return replace(TrainingLog.of(epochs, later.planned), preset=self.preset)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "TrainingLog":
        """Read what `save` wrote; LecoError where the file is missing or of another shape."""
        return checked(cls, read_json(path), f"'{path}'")


def _numbered(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with the epochs of each phase counted from 1, whatever they were counted by before."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["phase"]] += 1
        yield {**row, "epoch": float(counts[row["phase"]])}


def preset_of(folder: Path) -> str | None:
    """The preset of the training in a run's folder, if that is known there."""
    with suppress(LecoError):
        return TrainingLog.load(folder / TRAINING).preset
    return None
