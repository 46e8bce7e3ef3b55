"""Tables as they lie in a file: named columns, and the number by which a user finds each row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leco.errors import LecoError


@dataclass(frozen=True)
class Table:
    """Columns of N values each.

    `name` is the file or data set, for errors. `numbers` [N] are the lines of the file, or the rows, counted as the
    user sees them; `unit` says which. `classes` has the label names of the columns that come with such a list.
    """

    name: str
    columns: Mapping[str, list[Any]]
    numbers: list[int]
    unit: str = "row"
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.numbers:
            raise LecoError(f"'{self.name}' has no rows. Give a file with at least one row of data.")

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str, remedy: str) -> list[Any]:
        """The values of the column `name`; LecoError lists the columns there are, and the `remedy`."""
        if name not in self.columns:
            known = ", ".join(self.columns)
            raise LecoError(f"'{self.name}' has no column '{name}'. Its columns: {known}. {remedy}")
        return self.columns[name]

    def where(self, row: int) -> str:
        """The place of the row with index `row`, in words: "'train.csv', line 7"."""
        return f"'{self.name}', {self.unit} {self.numbers[row]}"


def table_from_cells(name: str, rows: Iterable[tuple[int, list[str]]]) -> Table:
    """The table whose first row is the header. LecoError names the line of a row of another width."""
    numbered = iter(rows)
    _, header = next(numbered, (0, []))
    names = [cell.strip() for cell in header]
    for column in names:
        if names.count(column) > 1:
            raise LecoError(f"'{name}' has two columns named '{column}'. Rename one of them in the header line.")
    numbers, kept = [], []
    for number, cells in numbered:
        if len(cells) != len(names):
            raise LecoError(
                f"'{name}', line {number} has {len(cells)} cells, but the header line has {len(names)}. "
                "Put texts that contain the separator in double quotes."
            )
        numbers.append(number)
        kept.append(cells)
    return Table(name, dict(zip(names, map(list, zip(*kept, strict=True)), strict=False)), numbers, "line")


def table_from_objects(name: str, rows: Iterable[tuple[int, Any]], unit: str) -> Table:
    """The table of JSON objects; what an object lacks is None. LecoError names the row that is no object."""
    numbered = list(rows)
    columns: dict[str, list[Any]] = {}
    for index, (number, value) in enumerate(numbered):
        if not isinstance(value, dict):
            raise LecoError(f'\'{name}\', {unit} {number} is not a JSON object such as {{"text": ..., "label": ...}}.')
        for column, cell in value.items():
            columns.setdefault(column, [None] * len(numbered))[index] = cell
    return Table(name, columns, [number for number, _ in numbered], unit)


def read_bytes(path: Path) -> bytes:
    """The content of a file; LecoError says why it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise LecoError(f"The file '{path}' does not exist. Check the path.") from error
    except OSError as error:
        raise LecoError(f"The file '{path}' cannot be read: {error.strerror}.") from error


def decode(content: bytes, name: str) -> str:
    """UTF-8 text, without a byte-order mark; LecoError names the first line that is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise LecoError(f"'{name}', line {line} is not UTF-8 text. Save the file with the encoding UTF-8.") from error
