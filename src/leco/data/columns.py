"""Which columns hold the texts and the labels: named by the user, or else guessed from their names."""

import re
from collections.abc import Callable, Collection, Sequence
from math import isnan
from typing import Any

from leco.data.tables import Table
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.tokens import Text, half_character

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
LABELS = ("label", "labels", "class", "target", "gold_label")
MAYBE_LABELS = ("category", "sentiment", "score", "rating", "stars")
"""Names that say less than those before."""
INDEX = ("", "index", "idx", "id", "__index_level_0__")
"""Names of columns that number rows or name them."""
FEW_CELLS = 10
"""Fewer cells say nothing about a column."""
SAME_WORDS = 3
"""So many different cells, or fewer, may be labels."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


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

    A column is guessed from its name, if no other has a name that is as good, else it is the only one left; of two
    columns with unknown names the text is the one with the longer values. One that numbers the rows is never taken.
    LecoError if nothing fits, or more than one, or a column that the user names is not there, or a name that the model
    would keep cannot be UTF-8.
    """
    text, label = check_text_columns(table, text_columns), tuple(label_columns or ())
    for column in label:
        table.column(column, remedy(LABEL))
    text = text or guess_text_columns(table, label)
    label = label or _guess_label(table, text)
    rest = [column for column in content_columns(table) if column not in (*text, *label)]
    if not text and not label and len(rest) == 2:
        shorter, longer = sorted(rest, key=lambda column: _size(table.columns[column]))
        if may_be_label(table, shorter):
            label, text = (shorter,), (longer,)
    elif not text and label and len(rest) == 1:
        text = (rest[0],)
    elif text and not label and len(rest) == 1 and may_be_label(table, rest[0]):
        label = (rest[0],)
    if not text or not label:
        raise _which(table, "label" if text else "text", LABEL if text else TEXT)
    for column in (*text, *label):
        if half := half_character(column):
            raise LecoError(f"'{table.name}': the name of the column '{shortened(column)}' {half}")
    if not text_columns or not label_columns:
        log(
            f"Columns: text = {_shown(text)}, label = {_shown(label)} "
            f"(set them with {parameter(TEXT)} / {parameter(LABEL)})"
        )
    return text, label


def _which(table: Table, missing: str, setting: str) -> LecoError:
    several = " (twice for pairs of texts)" if setting == TEXT else " (time and again where each is one of many labels)"
    return LecoError(
        f"Which column of '{table.name}' is the {missing}? Name it with {parameter(setting)}{several}. "
        f"Its columns: {listed(list(table.columns))}."
    )


def content_columns(table: Table) -> list[str]:
    """The columns that may be texts or labels: none that has no name or numbers the rows."""
    return [column for column in table.columns if not _is_index(column, table.columns[column])]


def _is_index(name: str, cells: Sequence[Any]) -> bool:
    if name.lower() in INDEX or name.lower().startswith("unnamed:"):
        return True
    numbers = [str(cell).strip() for cell in cells]
    first = int(numbers[0]) if numbers[0].isascii() and numbers[0].isdigit() and len(numbers[0]) < 19 else None
    return first is not None and len(cells) > 2 and numbers == [str(first + row) for row in range(len(cells))]


def may_be_label(table: Table, column: str) -> bool:
    """Whether the cells of a column look like labels: numbers, or words of which some come again."""
    cells = table.columns[column]
    words = [str(cell) for cell in cells if not is_number(cell)]
    return len(cells) < FEW_CELLS or len({*words}) <= len(words) / 2


def _guess_label(table: Table, text: Sequence[str]) -> tuple[str, ...]:
    """The column with a usual name; none where two have one that is as good."""
    names = _lower(table, text)
    for usual in (LABELS, MAYBE_LABELS):
        if found := [names[name] for name in usual if name in names]:
            return (found[0],) if len(found) == 1 else ()
    return ()


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
    """The text column, or the two of a pair, with a usual name; none if no column has one, or others have one, too."""
    known = _lower(table, taken)
    fewest = 1 if any(name in known for name in LABELS) else SAME_WORDS + 1
    names = {name: column for name, column in known.items() if _has_texts(table.columns[column], fewest)}
    usual = {*TEXTS, *(name for pair in PAIRS for name in pair)} & {*names}
    for first, second in PAIRS:
        if first in names and second in names:
            return (names[first], names[second]) if len(usual) == 2 else ()
    return (names[usual.pop()],) if len(usual) == 1 else ()


def _has_texts(cells: Sequence[Any], fewest: int) -> bool:
    """Whether the cells are texts and not numbers, and so many different ones that they are no labels."""
    texts = [cell for cell in cells if isinstance(cell, str) and not is_number(cell)]
    return 2 * len(texts) >= len(cells) and (len(cells) < FEW_CELLS or len({*texts}) >= fewest)


def texts_of(table: Table, columns: Sequence[str]) -> list[Text]:
    """The texts [N], pairs if two columns are given. LecoError names the first row that has no text, or half of one."""
    values = [table.column(column, remedy(TEXT)) for column in columns]
    for column, cells in zip(columns, values, strict=True):
        for row, cell in enumerate(cells):
            if problem := _no_text(cell):
                raise LecoError(f"{table.where(row)}: the column '{shortened(column)}' {problem}")
    return list(values[0]) if len(values) == 1 else list(zip(*values, strict=True))


def _no_text(cell: Any) -> str:
    """What is wrong with a cell that is no text to train on, and what to do; else nothing."""
    if isinstance(cell, str) and cell.strip():
        return half_character(cell)
    found = "has no text" if is_missing(cell) else f"has {shortened(repr(cell))}, which is not text"
    return f"{found}. Write a text or remove the row."


def is_missing(cell: Any) -> bool:
    """Whether a cell is empty: None, not-a-number, or a text of nothing but spaces."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and isnan(cell))


def is_number(value: Any) -> bool:
    """Whether a cell is a number as a person writes it, which "inf", "nan" and true are not."""
    return not isinstance(value, bool | list) and NUMBER.fullmatch(str(value).strip()) is not None


def _lower(table: Table, taken: Collection[str | None]) -> dict[str, str]:
    return {column.lower(): column for column in table.columns if column not in taken}


def _shown(columns: Sequence[str]) -> str:
    return " and ".join(f"'{column}'" for column in columns)


def _size(cells: list[Any]) -> float:
    return sum(len(cell) for cell in cells if isinstance(cell, str)) / len(cells)
