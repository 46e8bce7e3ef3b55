"""What a bulk job is, as each of its processes is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from leco.bulk.options import JSONL, BulkOptions
from leco.bulk.parts import Part
from leco.bulk.source import Source
from leco.calibration import MonitorOptions
from leco.criteria import Criterion
from leco.display import shortened
from leco.errors import LecoError
from leco.loading import PredictorSpec

Columns: TypeAlias = tuple[tuple[str, str], ...]
"""The columns of a part with their types, which are empty where the file says none."""


class PartError(LecoError):
    """What is wrong with one part, which does no harm to the others."""


@dataclass(frozen=True)
class Shape:
    """The columns that all parts have, and the part that they were seen in: none where no part says them."""

    part: str
    columns: Columns

    def check(self, part: Part, columns: Columns) -> None:
        """LecoError unless a part has the same ones, which names the first that it has not; JSON Lines may have any."""
        if columns == self.columns or part.kind == JSONL:
            return
        ours, theirs = ([f"'{name}' {kind}".strip() for name, kind in some] for some in (self.columns, columns))
        place = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if len({*pair}) > 1), None)
        place = min(len(ours), len(theirs)) if place is None else place
        first, second = (some[place] if place < len(some) else "none" for some in (ours, theirs))
        raise LecoError(
            f"The columns change between parts: column {place + 1} is {shortened(first)} in '{self.part}' and "
            f"{shortened(second)} in '{part.name}'. Give parts of one schema."
        )


@dataclass(frozen=True)
class Job:
    """Everything that answering a part needs, small and picklable: the model is loaded where it answers.

    Attributes:
        spec: what loads the predictor.
        criterion: when texts leave.
        output: the folder, or its address.
        options: how rows are answered.
        source: how parts are read.
        monitoring: how answers are watched.
        text_columns: those with the texts; none where no part has rows.
        shape: the columns of all parts.
        added: the names in the files of the columns that answers have.

    """

    spec: PredictorSpec
    criterion: Criterion
    output: str
    options: BulkOptions
    source: Source
    monitoring: MonitorOptions
    text_columns: tuple[str, ...]
    shape: Shape
    added: Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """What is kept of a part that is answered: what its file was like then, and counts of its rows."""

    mark: str
    rows: int
    without_text: int
    truncated: int


@dataclass(frozen=True)
class Outcome:
    """What came of a part: its record, or what was wrong with it."""

    part: Part
    record: Record | None = None
    problem: str = ""


Event: TypeAlias = "int | Outcome"
"""What a job says on its way: rows just answered (less than none where their process ended), or a part's outcome."""
Tell: TypeAlias = Callable[[Event], None]
ATTEMPTS = 3
"""How often a part may end the process that answers it."""


def given_up(attempts: int) -> str:
    """What is wrong with a part that was begun so often; nothing where it may be begun again."""
    problem = f"The process that answers it has ended {ATTEMPTS} times, perhaps for want of memory."
    return problem if attempts >= ATTEMPTS else ""
