"""What the labels are, learned from the training rows, and their numbers."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from leco.data.columns import LABEL, is_number
from leco.data.label_values import SEPARATOR, TASK, Values, bad, label_values, name_of
from leco.data.tables import Table
from leco.data.types import Array
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL, TASKS, Problem

WHOLE = re.compile(r"[+-]?\d+")
NO_LABEL = ("nan", "na", "n/a", "null", "none")
"""Names by which some programs write that there is no label."""
MANY_NUMBERS, FEW_ROWS = 20, 5
"""More whole numbers than these, with fewer rows for each, may be values."""


@dataclass(frozen=True)
class Labels:
    """The kind of problem and the `names` [K] of its labels (none for a regression); who knows them says `known_by`.

    `problem_type` is Transformers' name of the kind, `columns` have the labels, and `separator` stands between several
    in a text.
    """

    columns: tuple[str, ...]
    problem_type: str
    names: tuple[str, ...]
    separator: str | None = None
    known_by: str = "model has"

    @property
    def problem(self) -> Problem:
        """The kind of problem."""
        return PROBLEMS[self.problem_type]

    @property
    def column(self) -> str:
        """The columns, as they are shown."""
        return ", ".join(self.columns)

    def encode(self, table: Table) -> Array:
        """The labels of a table, [N] or [N, K] as `Split.labels` has them.

        LecoError names the first row whose label is missing, unknown to the training rows, or of another kind.
        """
        values = label_values(table, self.columns, self.separator, self.problem.has_lists, self.names)
        return np.stack([self._number(table, row, value) for row, value in enumerate(values.rows)])

    def _number(self, table: Table, row: int, value: Any) -> Array:
        if not self.problem.has_names:
            return self.problem.encode([self._value(table, row, value)], 1)
        many = self.problem.has_lists
        if many is not isinstance(value, list):
            kind = f"a list (for labels in a text, give {parameter(SEPARATOR)})" if many else "one label"
            raise bad(table, row, self.column, f"{shortened(repr(value))} is not {kind}, but other rows have that")
        indices = [self._index(table, row, name) for name in (value if many else [value])]
        return self.problem.encode(indices, len(self.names))

    def _value(self, table: Table, row: int, value: Any) -> float:
        if not is_number(value) or not is_float32(float(value)):
            problem = f"{shortened(repr(value))} is not a number of 32 bits, but labels of this column are"
            raise bad(table, row, self.column, problem)
        return float(value)

    def _index(self, table: Table, row: int, value: Any) -> int:
        name = name_of(value)
        for known in (name, name.lower()) if isinstance(value, bool) else (name,):
            if known in self.names:
                return self.names.index(known)
        problem = f"the {self.known_by} no label '{shortened(value)}', only {listed(self.names)}"
        raise bad(table, row, self.column, problem)


def learn_labels(
    table: Table,
    columns: Sequence[str],
    separator: str | None = None,
    task: str | None = None,
    log: Callable[[str], None] = lambda line: None,
) -> Labels:
    """Kind and names of the labels in a table of training rows.

    Lists (`label_values`) are many labels; numbers of which at least one has decimals are a regression; all else are
    names, sorted, by value if all are whole numbers. A column that comes with a list of its names keeps it. `task`, a
    name in `TASKS`, overrides what the labels look like; what is doubtful without it is asked for.
    LecoError if a label is missing, or all are the same.
    """
    many = None if task is None else PROBLEMS[TASKS[task]].has_lists
    values = label_values(table, columns, separator, many)
    kind = _kind(table, columns, values) if task is None else TASKS[task]
    if task is not None and separator is not None and not PROBLEMS[kind].has_lists:
        raise LecoError(
            f"{parameter(SEPARATOR)} stands between many labels: leave it out for {parameter(TASK)} {task}."
        )
    labels = Labels(tuple(columns), kind, (), separator, known_by="training rows have")
    if not PROBLEMS[kind].has_names:
        labels.encode(table)
        _check_several(labels, table, {*values.rows})
        return labels
    found = {name_of(name) for row in values.rows for name in (row if isinstance(row, list) else [row])}
    _check_several(labels, table, {*values.names} or found if values.many else found)
    if missing := sorted(name for name in found if name.lower() in NO_LABEL):
        log(f"'{missing[0]}' in '{labels.column}' is a label like others: remove the rows where it stands for none.")
    return replace(labels, names=values.names or tuple(_ordered(found)))


def _kind(table: Table, columns: Sequence[str], values: Values) -> str:
    """What the labels look like."""
    if values.many or len(columns) > 1:
        return MULTI_LABEL
    if values.names:
        return SINGLE_LABEL
    about, rows = f"'{shortened(columns[0])}' of '{table.name}'", values.rows
    numbers = [row for row in rows if is_number(row)]
    decimals = [number for number in numbers if isinstance(number, float) or "." in str(number)]
    which = f"Say with {parameter(TASK)} whether they are names (classification) or values (regression)."
    if not decimals:
        different = len({name_of(number) for number in numbers})
        if different > MANY_NUMBERS and len(numbers) == len(rows) < FEW_ROWS * different:
            raise LecoError(f"{about} has {different} different numbers in {len(rows)} rows. {which}")
        return SINGLE_LABEL
    if len(numbers) == len(rows):
        if all(float(number).is_integer() for number in decimals):
            raise LecoError(f"{about} has whole numbers that are written as {decimals[0]}. {which}")
        return REGRESSION
    if 2 * len(numbers) > len(rows):
        row = next(row for row, value in enumerate(rows) if not is_number(value))
        problem = f"{shortened(repr(rows[row]))} is not a number, but most labels are"
        raise bad(table, row, columns[0], f"{problem} (for names, give {parameter(TASK)} classification)")
    return SINGLE_LABEL


def _check_several(labels: Labels, table: Table, found: set[Any]) -> None:
    if len(found) < 2:
        only = f"one label, '{shortened(next(iter(found)))}'" if found else "no label"
        raise LecoError(
            f"The column '{labels.column}' of '{table.name}' has only {only}: there is nothing to learn. "
            f"Choose another column with {parameter(LABEL)}, or give rows of at least two labels."
        )


def is_float32(number: float) -> bool:
    """Whether a number is finite in 32 bits, in which the labels of a regression are kept."""
    return bool(abs(number) <= float(np.finfo(np.float32).max))  # not so for one that is not a number


def _ordered(names: Iterable[str]) -> list[str]:
    names = sorted(names)
    return sorted(names, key=Decimal) if all(WHOLE.fullmatch(name) for name in names) else names
