"""What the labels are, learned from the training rows, and their numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from leco.data.columns import LABEL, is_missing, remedy
from leco.data.tables import Table
from leco.data.types import Array
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL, Problem

WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class Labels:
    """The kind of problem and the names [K] of its labels (none for a regression); who knows them says `known_by`."""

    column: str
    problem_type: str
    names: tuple[str, ...]
    known_by: str = "model has"

    @property
    def problem(self) -> Problem:
        """The kind of problem."""
        return PROBLEMS[self.problem_type]

    def encode(self, table: Table) -> Array:
        """The labels of a table as `Split.labels` has them.

        LecoError names the first row whose label is missing, unknown to the training rows, or of another kind.
        """
        return np.stack([self._number(table, row, value) for row, value in enumerate(_cells(table, self.column))])

    def _number(self, table: Table, row: int, value: Any) -> Array:
        if not self.problem.has_names:
            return self.problem.encode([self._value(table, row, value)], 1)
        many = self.problem.has_lists
        if many is not isinstance(value, list):
            kind = "a list" if many else "one label"
            raise _bad(table, row, self.column, f"{shortened(repr(value))} is not {kind}, but other rows have that")
        indices = [self._index(table, row, name) for name in (value if many else [value])]
        return self.problem.encode(indices, len(self.names))

    def _value(self, table: Table, row: int, value: Any) -> float:
        number = _as_float(value)
        if not is_float32(number):
            problem = f"{shortened(repr(value))} is not a number of 32 bits, but labels of this column are"
            raise _bad(table, row, self.column, problem)
        return number

    def _index(self, table: Table, row: int, value: Any) -> int:
        try:
            return self.names.index(_name(value))
        except ValueError:
            problem = f"the {self.known_by} no label '{shortened(value)}', only {listed(self.names)}"
            raise _bad(table, row, self.column, problem) from None


def learn_labels(table: Table, column: str) -> Labels:
    """Kind and names of the labels in a table of training rows.

    Lists are many labels; numbers of which at least one has decimals are a regression; all else are names, sorted,
    by value if all are whole numbers. A column that comes with a list of its names keeps it.
    LecoError if a label is missing or all are the same.
    """
    values = _cells(table, column)
    found: set[Any]
    if any(isinstance(value, list) for value in values):
        kind = MULTI_LABEL
        found = {_name(name) for value in values if isinstance(value, list) for name in value}
    elif column not in table.classes and _is_regression(values):
        kind, found = REGRESSION, set(values)
    else:
        kind, found = SINGLE_LABEL, {_name(value) for value in values}
    if len(found) < 2:
        only = f"one label, '{shortened(next(iter(found)))}'" if found else "no label"
        raise LecoError(
            f"The column '{column}' of '{table.name}' has only {only}: there is nothing to learn. "
            f"Choose another column with {parameter(LABEL)}, or give rows of at least two labels."
        )
    names = (table.classes.get(column) or _ordered(found)) if PROBLEMS[kind].has_names else ()
    return Labels(column, kind, tuple(names), known_by="training rows have")


def has_labels(table: Table, column: str) -> bool:
    """Whether the table has the column and at least one label in it."""
    return not all(is_missing(value) for value in table.columns.get(column, []))


def is_float32(number: float) -> bool:
    """Whether a number is finite in 32 bits, in which the labels of a regression are kept."""
    return bool(abs(number) <= np.finfo(np.float32).max)  # not so for one that is not a number


def _cells(table: Table, column: str) -> list[Any]:
    values = table.column(column, remedy(LABEL))
    for row, value in enumerate(values):
        if is_missing(value):
            raise _bad(table, row, column, "the label is missing")
        for name in value if isinstance(value, list) else [value]:
            if name is None or isinstance(name, dict | list):
                raise _bad(table, row, column, f"{shortened(repr(name))} is neither a name nor a number")
    return values


def _bad(table: Table, row: int, column: str, problem: str) -> LecoError:
    return LecoError(f"{table.where(row)}, column '{shortened(column)}': {problem}. Correct or remove the row.")


def _is_regression(values: list[Any]) -> bool:
    return not all(WHOLE.fullmatch(_name(value)) for value in values) and all(
        np.isfinite(_as_float(value)) for value in values
    )


def _as_float(value: Any) -> float:
    try:
        return float("nan") if isinstance(value, bool | list) else float(value)
    except (TypeError, ValueError):
        return float("nan")


def _name(value: Any) -> str:
    return str(value).strip()


def _ordered(names: Iterable[str]) -> list[str]:
    names = sorted(names)
    return sorted(names, key=Decimal) if all(WHOLE.fullmatch(name) for name in names) else names
