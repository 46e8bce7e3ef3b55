"""Which columns hold the texts and the labels: named by the user, or else guessed from their names."""

from collections.abc import Callable, Collection, Sequence
from math import isnan
from typing import Any

from leco.data.tables import Table
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.tokens import Text

TEXT, LABEL = "text_columns", "label_column"
"""The settings that name the columns."""

PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "answer"),
    ("question", "sentence"),
    ("question", "passage"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("query", "document"),
)
TEXTS = ("text", "sentence", "review", "content", "comment", "tweet", "message", "body", "document", "question")
LABELS = ("label", "labels", "class", "category", "target", "sentiment", "score", "rating", "stars", "gold_label")


def remedy(setting: str) -> str:
    """What to do about a column that is not there or does not serve."""
    return f"Choose one with {parameter(setting)}."


def find_columns(
    table: Table,
    text_columns: Sequence[str] | None,
    label_columns: Sequence[str] | None,
    log: Callable[[str], None],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The text column (or the two of a pair) and the label columns; what is guessed is logged in one line.

    A column is guessed from its name, else it is the only one left; of two columns with unknown names the text is
    the one with the longer values. LecoError if nothing fits, or a column that the user names is not there.
    """
    text, given = check_text_columns(table, text_columns), tuple(label_columns or ())
    for column in given:
        table.column(column, remedy(LABEL))
    text = text or guess_text_columns(table, given)
    label = given or _as_columns(_first(LABELS, _lower(table, text)))
    rest = [column for column in table.columns if column not in (*text, *label)]
    if not text and not label and len(rest) == 2:
        label, text = map(_as_columns, sorted(rest, key=lambda column: _size(table.columns[column])))
    elif not text and label and len(rest) == 1:
        text = (rest[0],)
    elif text and not label and len(rest) == 1:
        label = (rest[0],)
    if not text or not label:
        missing, setting = ("label", LABEL) if text else ("text", TEXT)
        known = listed(list(table.columns))
        raise LecoError(
            f"Which column of '{table.name}' is the {missing}? Name it with {parameter(setting)}. Its columns: {known}."
        )
    if not text_columns or not label_columns:
        log(
            f"Columns: text = {_shown(text)}, label = {_shown(label)} "
            f"(set them with {parameter(TEXT)} / {parameter(LABEL)})"
        )
    return text, label


def check_text_columns(table: Table, text_columns: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that the user names, none if None; LecoError if one is missing or they are more than two."""
    for column in text_columns or ():
        table.column(column, remedy(TEXT))
    if len(text_columns or ()) > 2:
        raise LecoError(
            f"{parameter(TEXT)} takes one column, or two for pairs of texts, not {len(text_columns or ())}."
        )
    return tuple(text_columns or ())


def guess_text_columns(table: Table, taken: Collection[str | None] = ()) -> tuple[str, ...]:
    """The text column, or the two of a pair, with a usual name; none if no column has one."""
    names = _lower(table, taken)
    for first, second in PAIRS:
        if first in names and second in names:
            return names[first], names[second]
    single = _first(TEXTS, names)
    return (single,) if single else ()


def texts_of(table: Table, columns: Sequence[str]) -> list[Text]:
    """The texts [N], pairs if two columns are given. LecoError names the first row that has no text."""
    values = [table.column(column, remedy(TEXT)) for column in columns]
    for column, cells in zip(columns, values, strict=True):
        for row, cell in enumerate(cells):
            if not isinstance(cell, str) or not cell.strip():
                found = "has no text" if is_missing(cell) else f"has {shortened(repr(cell))}, which is not text,"
                raise LecoError(f"{table.where(row)}: the column '{column}' {found}. Write a text or remove the row.")
    return list(values[0]) if len(values) == 1 else list(zip(*values, strict=True))


def is_missing(cell: Any) -> bool:
    """Whether a cell is empty: None, not-a-number, or a text of nothing but spaces."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and isnan(cell))


def _lower(table: Table, taken: Collection[str | None]) -> dict[str, str]:
    return {column.lower(): column for column in table.columns if column not in taken}


def _as_columns(column: str | None) -> tuple[str, ...]:
    return () if column is None else (column,)


def _shown(columns: Sequence[str]) -> str:
    return " and ".join(f"'{column}'" for column in columns)


def _first(usual: Sequence[str], names: dict[str, str]) -> str | None:
    return next((names[name] for name in usual if name in names), None)


def _size(cells: list[Any]) -> float:
    return sum(len(cell) for cell in cells if isinstance(cell, str)) / len(cells)
