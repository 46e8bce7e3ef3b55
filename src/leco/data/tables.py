"""Tables as they lie in a file: named columns, and the number by which a user finds each row."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from leco.display import listed, shortened
from leco.errors import LecoError

T = TypeVar("T")


class NoRowsError(LecoError):
    """There is a table, but nothing in it but the names of its `columns`, if those."""

    def __init__(self, message: str, columns: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.columns = columns


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
            problem = f"'{self.name}' has no rows. Give a file with at least one row of data."
            raise NoRowsError(problem, list(self.columns))

    def __len__(self) -> int:
        return len(self.numbers)

    def filled(self) -> "Table":
        """The rows in which anything is but spaces; LecoError where there is none."""
        rows = [row for row, cells in enumerate(zip(*self.columns.values(), strict=True)) if not is_blank(cells)]
        columns = {name: [cells[row] for row in rows] for name, cells in self.columns.items()}
        return Table(self.name, columns, [self.numbers[row] for row in rows], self.unit, self.classes)

    def column(self, name: str, remedy: str) -> list[Any]:
        """The values of the column `name`; LecoError lists the columns there are, and the `remedy`."""
        if name not in self.columns:
            known = listed(list(self.columns))
            raise LecoError(f"'{self.name}' has no column '{name}'. Its columns: {known}. {remedy}")
        return self.columns[name]

    def where(self, row: int) -> str:
        """The place of the row with index `row`, in words: "'train.csv', line 7"."""
        return f"'{self.name}', {self.unit} {self.numbers[row]}"


def tables_from_cells(name: str, rows: Iterable[tuple[int, list[str]]], size: int | None = None) -> Iterator[Table]:
    """The table whose first row is the header, in pieces of `size` rows, or whole.

    A blank line is a row with an empty cell where there is one column, and none where there are several.
    LecoError names the line of a row of another width, and two columns of one name.
    """
    numbered = iter(rows)
    header: list[str] = next((cells for _, cells in numbered if not is_blank(cells)), [])
    names = [cell.strip() for cell in header]
    check_names(name, names)
    numbered = (
        (number, [""] * len(names) if is_blank(cells) else cells)
        for number, cells in numbered
        if len(cells) > 1 or len(names) == 1 or not is_blank(cells)
    )
    for piece in in_pieces(numbered, size):
        for number, cells in piece:
            if len(cells) != len(names):
                raise LecoError(
                    f"'{name}', line {number} has {len(cells)} cells, but the header line has {len(names)}. "
                    "Put texts that contain the separator in double quotes."
                )
        columns = {column: [cells[place] for _, cells in piece] for place, column in enumerate(names)}
        yield Table(name, columns, [number for number, _ in piece], "line")


def tables_from_objects(
    name: str, rows: Iterable[tuple[int, Any]], unit: str, size: int | None = None
) -> Iterator[Table]:
    """The table of JSON objects, in pieces of `size` rows, or whole; what an object lacks is None.

    LecoError names the row that is no object.
    """
    known: dict[str, None] = {}
    for piece in in_pieces(iter(rows), size):
        for number, value in piece:
            if not isinstance(value, dict):
                raise LecoError(
                    f'\'{name}\', {unit} {number} is not a JSON object such as {{"text": ..., "label": ...}}.'
                )
            known.update(dict.fromkeys(value))
        columns = {column: [value.get(column) for _, value in piece] for column in known}
        yield Table(name, columns, [number for number, _ in piece], unit)


def is_blank(cells: Iterable[Any]) -> bool:
    """Whether nothing but spaces is in a row's cells."""
    return all(isinstance(cell, str) and not cell.strip() for cell in cells)


def check_names(name: str, columns: Sequence[str]) -> None:
    """LecoError where two columns have one name."""
    for column, number in Counter(columns).items():
        if number > 1:
            raise LecoError(f"'{name}' has two columns named '{shortened(column)}'. Rename one of them in the file.")


def in_pieces(items: Iterator[T], size: int | None) -> Iterator[list[T]]:
    """Lists of `size` items, or one of all; at least one list, which may be empty."""
    yield list(islice(items, size))
    while piece := list(islice(items, size)):
        yield piece
