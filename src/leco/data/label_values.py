"""What the cells of label columns say: for each row one label, or a list of them, however they are written."""

import ast
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from leco.data.columns import LABEL, is_missing, remedy
from leco.data.tables import Table
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.tokens import half_character

SEPARATOR, TASK = "label_separator", "task"
"""The settings that say how labels are meant."""
TRUE, FALSE = ("1", "1.0", "true"), ("0", "0.0", "false")
BRACKETED = re.compile(r"[\[({].*[\])}]", re.DOTALL)
LONGEST_LIST = 10_000
"""Characters of a list that is written as text."""


@dataclass(frozen=True)
class Values:
    """A label, or a list of labels, for each row; `names` are all labels where the columns say which there are."""

    rows: list[Any]
    names: tuple[str, ...] = ()

    @property
    def many(self) -> bool:
        """Whether some row has a list."""
        return any(isinstance(row, list) for row in self.rows)


def label_values(
    table: Table, columns: Sequence[str], separator: str | None, many: bool | None, names: Sequence[str] = ()
) -> Values:
    """The labels in some columns: each is 0 or 1 in a column of its own, or all are in one column.

    There they are lists, texts that write a list as JSON or Python do, or texts in which a separator stands between
    the labels; a list of 0 and 1 for each label is as good. `many` says whether a row has a list, None if that is not
    known, and `names` are the labels where they are known already.
    LecoError names the first row whose label is missing, is none, or cannot be UTF-8, and asks where a list may be
    meant in two ways.
    """
    if len(columns) > 1:
        return _from_columns(table, columns)
    (column,) = columns
    cells = [_plain(cell) for cell in table.column(column, remedy(LABEL))]
    if separator is not None:
        cells = [_split(cell, separator) for cell in cells]
    elif many is not False:
        cells = _parsed(table, column, cells)
        if many is None and column not in table.classes:
            _ask_for_separator(table, column, cells)
    for row, value in enumerate(cells):
        _check(table, row, column, value)
    values = Values(cells, _classes(table, column))
    return _from_flags(table, column, values, names) if values.many and not values.names else values


def _classes(table: Table, column: str) -> tuple[str, ...]:
    """The names of labels that come with a column; none where none do. LecoError for one that cannot be UTF-8."""
    names = tuple(map(name_of, table.classes.get(column, ())))
    for name in names:
        _check_name(f"'{table.name}', column '{shortened(column)}'", name)
    return names


def has_labels(table: Table, columns: Sequence[str]) -> bool:
    """Whether the table has the columns, and at least one label in them."""
    return any(not is_missing(value) for column in columns for value in table.columns.get(column, []))


def name_of(value: Any) -> str:
    """A label as it is called: what the user wrote; a whole number of a column of decimals without its zero.

    >>> name_of(" 1e3"), name_of(3.0), name_of(True)
    ('1e3', '3', 'True')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def bad(table: Table, row: int, column: str, problem: str) -> LecoError:
    """The error for a label."""
    return LecoError(f"{table.where(row)}, column '{shortened(column)}': {problem}. Correct or remove the row.")


def _plain(cell: Any) -> Any:
    """A list for whatever holds several values."""
    if hasattr(cell, "tolist"):  # an array or a number of NumPy
        cell = cell.tolist()
    return list(cell) if isinstance(cell, tuple | set | frozenset) else cell


def _check(table: Table, row: int, column: str, value: Any) -> None:
    if not isinstance(value, list) and is_missing(value):
        raise bad(table, row, column, "the label is missing")
    for name in value if isinstance(value, list) else [value]:
        if is_missing(name) or isinstance(name, dict | list | bytes):
            raise bad(table, row, column, f"{shortened(repr(name))} is neither a name nor a number")
        if isinstance(name, str):
            _check_name(f"{table.where(row)}, column '{shortened(column)}'", name)


def _check_name(where: str, name: str) -> None:
    """LecoError, which begins with `where`, for the name of a label that cannot be UTF-8."""
    if half := half_character(name):
        raise LecoError(f"{where}: the label '{shortened(name)}' {half}")


def _split(cell: Any, separator: str) -> Any:
    """The labels of a text; of one without any, an empty list."""
    if isinstance(cell, list) or not (isinstance(cell, str) or is_missing(cell)):
        return cell if isinstance(cell, list) else [cell]
    return [part.strip() for part in (cell or "").split(separator) if part.strip()]


def _parsed(table: Table, column: str, cells: list[Any]) -> list[Any]:
    """The cells; where all texts write lists, those lists."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    if not any(BRACKETED.fullmatch(text.strip()) for text in texts):
        return cells
    lists = [as_list(cell) if isinstance(cell, str) else cell for cell in cells]
    for row, (cell, found) in enumerate(zip(cells, lists, strict=True)):
        if isinstance(cell, str) and cell.strip() and found is None and _resembles_list(texts):
            raise LecoError(
                f"{table.where(row)}, column '{shortened(column)}': is {shortened(cell)} a label, or a list of labels? "
                f"For names as they are, give {parameter(TASK)} classification; write lists as JSON does, "
                f'["a", "b"], or with a separator that {parameter(SEPARATOR)} names.'
            )
    return lists if any(isinstance(one, list) for one in lists) else cells


def _ask_for_separator(table: Table, column: str, cells: Sequence[Any]) -> None:
    """LecoError where several labels seem to stand in a text."""
    if separator := several_in(cell for cell in cells if isinstance(cell, str)):
        raise LecoError(
            f"'{shortened(column)}' of '{table.name}' has '{separator}' within its labels. Are these several labels in "
            f"a row? Then give {parameter(SEPARATOR)} '{separator}', else {parameter(TASK)} classification."
        )


def _resembles_list(texts: Sequence[str]) -> bool:
    """Whether some text is, or seems to be, a list of several things: not one word in brackets."""
    return any(BRACKETED.fullmatch(text.strip()) and re.search(r"[\s,'\"]|^..$", text.strip()) for text in texts)


def as_list(text: str) -> list[Any] | None:
    """The list that a text writes; None where it writes none, or one that may be read in two ways.

    >>> as_list('["a", "b"]'), as_list("[1, 0]"), as_list("['a' 'b']"), as_list("[other]")
    (['a', 'b'], [1, 0], None, None)
    """
    text = text.strip()
    if len(text) > LONGEST_LIST or not BRACKETED.fullmatch(text) or re.search(r"['\"]\s+['\"]", text):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(value, list | tuple | set):
            return sorted(value, key=str) if isinstance(value, set) else list(value)
    return None


def _from_columns(table: Table, columns: Sequence[str]) -> Values:
    """Of columns that say 1 or 0, true or false, the names of those that say 1."""
    flags = {column: [_flag(cell) for cell in table.column(column, remedy(LABEL))] for column in columns}
    for column, given in flags.items():
        if None in given:
            row = given.index(None)
            cell = table.columns[column][row]
            found = "the label is missing" if is_missing(cell) else f"{shortened(repr(cell))} is neither 0 nor 1"
            raise bad(table, row, column, f"{found}, as each of several columns of labels says")
    rows = zip(*flags.values(), strict=True)
    return Values([[column for column, set_ in zip(columns, row, strict=True) if set_] for row in rows], tuple(columns))


def _flag(value: Any) -> bool | None:
    text = str(value).strip().lower()
    return text in TRUE if text in (*TRUE, *FALSE) else None


def _from_flags(table: Table, column: str, values: Values, names: Sequence[str]) -> Values:
    """The names of the labels whose place says 1, where each row has a 0 or 1 for every label; else the lists."""
    lists = [row for row in values.rows if isinstance(row, list)]
    flags = [[_flag(value) for value in row] for row in lists]
    if any(None in row for row in flags) or not all(isinstance(row, list) for row in values.rows):
        return values
    lengths, twice = {len(row) for row in flags}, any(len({*map(name_of, row)}) < len(row) for row in lists)
    booleans = any(isinstance(value, bool) for row in lists for value in row)
    if names:
        if lengths != {len(names)} or {"0", "1"} <= {*names}:
            return values
    elif len(lengths) > 1 and (twice or booleans):
        row = next(row for row, flag in enumerate(flags) if len(flag) != len(flags[0]))
        raise bad(table, row, column, f"it has {len(flags[row])} flags, but the first row has {len(flags[0])}")
    elif lengths == {1} and not booleans:
        raise LecoError(
            f"Column '{shortened(column)}' of '{table.name}' has lists of one number, 0 or 1: of the labels '0' and '1'"
            f" each row has one, so that {parameter(TASK)} classification on plain numbers is what you want, or it is "
            "one label that is there or not. Write names in place of the numbers."
        )
    elif len(lengths) > 1 or lengths == {0}:
        return values
    known = tuple(names) or tuple(f"{column}_{place}" for place in range(*lengths))
    return Values([[name for name, set_ in zip(known, row, strict=True) if set_] for row in flags], known)


def several_in(texts: Iterable[str]) -> str | None:
    """The separator that seems to stand between several labels in some of the texts, if one does.

    A comma does only where a part is also a part of another text, since names may have commas.

    >>> several_in(["a|b", "a"]), several_in(["joy, awe", "joy"]), several_in(["Oslo, Norway", "Rome, Italy"])
    ('|', ',', None)
    """
    distinct = {text.strip() for text in texts}
    for separator in "|;":
        if any(len([part for part in text.split(separator) if part.strip()]) > 1 for text in distinct):
            return separator
    parts = [part for text in distinct for part in {part.strip() for part in text.split(",") if part.strip()}]
    split = any("," in text for text in distinct)
    return "," if split and len({*parts}) < len(parts) else None
