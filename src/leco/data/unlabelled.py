"""Texts without labels, to be classified."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import Any, BinaryIO

from leco.data.columns import TEXT, check_text_columns, content_columns, guess_text_columns, remedy
from leco.data.delimited import named_delimiter
from leco.data.lines import PIECE, STDIN, numbered_lines
from leco.data.opened import open_bytes, suffix_of
from leco.data.readers import READERS, parquet_rows
from leco.data.tables import Table, tables_from_objects
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.files import parse_json
from leco.settings import SourceOptions
from leco.tokens import Text, half_character

logger = logging.getLogger(__name__)

LINES, LINE = "txt", "text"
FORMATS = (LINES, *(suffix.removeprefix(".") for suffix in READERS))
"""How texts may be written: one on each line, or in the columns of a table."""


@dataclass(frozen=True)
class Rows:
    """Some of the rows of an input, N of them.

    `texts` [N] are empty where there is none, and `missing` [N] then says why; `columns` has all that the rows hold.
    """

    texts: list[Text]
    missing: list[str | None]
    columns: Mapping[str, list[Any]] = field(default_factory=dict)


def read_rows(
    source: str | Path,
    *,
    format: str | None = None,
    text_columns: Sequence[str] | None = None,
    where: SourceOptions | None = None,
    log: Callable[[str], None] = logger.info,
) -> Iterator[Rows]:
    """The rows of a file, or of the standard input if `source` is "-", in pieces of at most `PIECE`; none is left out.

    The suffix says how they are written, or else `format`, one of `FORMATS`; without both there is a text on each line.
    Lines, and those of JSON, come as they are there, so that who writes line by line has answers line by line. Tables
    have texts in `text_columns`, or in columns guessed from their names; `where` names encoding, delimiter and header.
    LecoError, when the place is reached, if the file cannot be read, has no rows, has something else than a text where
    texts are, or it is unclear which column they are in, or, without suffix and `format`, whether lines are texts.
    A guess of the columns is a line to `log`.

    >>> next(read_rows("reviews.csv")).texts[0]
    'would and a on say bad and so on'
    """
    kind = _format(source, format)
    columns: tuple[str, ...] = (LINE,) if kind == LINES else ()
    said = format is not None or suffix_of(Path(source)) != ""
    for table in _tables(source, kind, where or SourceOptions()):
        if not said:
            _ask_for_format(table, text_columns or ())
            said = True
        if not columns:
            columns = find_text_columns(table, text_columns, log)
        yield rows_of(table, columns)


def read_texts(
    source: str | Path,
    *,
    format: str | None = None,
    text_columns: Sequence[str] | None = None,
    where: SourceOptions | None = None,
    log: Callable[[str], None] = logger.info,
) -> Iterator[list[Text]]:
    """The texts of `read_rows`, in pieces, empty where a row has none.

    `source`, `format`, `text_columns`, `where` and `log` are those of `read_rows`, as are the errors.
    """
    rows = read_rows(source, format=format, text_columns=text_columns, where=where, log=log)
    return (piece.texts for piece in rows)


def number_of_rows(source: str | Path, format: str | None = None) -> int | None:
    """How many rows the `source` has, written in a `format`, where that can be known before they are read; or None."""
    with suppress(LecoError, OSError):
        if str(source) != "-" and _format(source, format) == "parquet":
            return parquet_rows(Path(source))
    return None


def _format(source: str | Path, given: str | None) -> str:
    """How the source is written; LecoError for an unknown way."""
    suffix = "" if str(source) == "-" else suffix_of(Path(source)).removeprefix(".")
    kind = (suffix or LINES) if given is None else given
    if kind not in FORMATS:
        raise LecoError(
            f"'{Path(source).name}' has an unsupported suffix or format '{shortened(kind)}'. "
            f"Name one of these with {parameter('format')}: {', '.join(FORMATS)}."
        )
    return kind


def _ask_for_format(table: Table, text_columns: Sequence[str]) -> None:
    """LecoError where lines seem to be a table's: an object of JSON, or names of columns with those of the texts."""
    first = next(filter(None, table.columns[LINE]), "")
    with suppress(ValueError):
        if isinstance(json.loads(first), dict):
            raise _which_format(table, "objects of JSON", "jsonl")
    if named_delimiter(first):
        raise _which_format(table, "rows under names of columns", "csv")
    for delimiter, kind in ((",", "csv"), (";", "csv"), ("\t", "tsv")):
        names = [name.strip(' "') for name in first.split(delimiter)]
        if len(names) > 1 and text_columns and {*text_columns} <= {*names}:
            raise _which_format(table, "rows under names of columns", kind)


def _which_format(table: Table, found: str, kind: str) -> LecoError:
    return LecoError(
        f"The lines of '{table.name}' seem to be {found}: {shortened(next(filter(None, table.columns[LINE])))}. Give "
        f"{parameter('format')} {kind}, or {parameter('format')} {LINES} if each line is a text as it is."
    )


def _tables(source: str | Path, kind: str, where: SourceOptions) -> Iterator[Table]:
    """The pieces of what is written in that way, as tables."""
    stdin = str(source) == "-"
    name = STDIN if stdin else Path(source).name
    with _opened(source, name) as file:
        if kind == LINES:
            yield from _lines(name, file, where.encoding)
        elif kind == "jsonl":
            yield from _objects(name, file, where.encoding)
        else:
            whole = BytesIO(file.read()) if kind == "parquet" and stdin else file
            yield from READERS[f".{kind}"](name, whole, PIECE, where)


@contextmanager
def _opened(source: str | Path, name: str) -> Iterator[BinaryIO]:
    """A block that reads a file or the standard input; LecoError says why that cannot be."""
    if str(source) != "-":
        with open_bytes(Path(source)) as file:
            yield file
        return
    if sys.stdin is None:
        raise LecoError("Standard input is closed. Give a file of texts, or write them to it.")
    try:
        yield sys.stdin.buffer
    except OSError as error:
        raise LecoError(f"'{name}' cannot be read: {error.strerror or error}.") from error


def _lines(name: str, file: BinaryIO, encoding: str | None) -> Iterator[Table]:
    """Each line as a row of one column, without the spaces around it."""
    empty = True
    for lines in numbered_lines(name, file, encoding):
        for start in range(0, len(lines), PIECE):
            piece = lines[start : start + PIECE]
            empty = False
            yield Table(name, {LINE: [line.strip() for _, line in piece]}, [number for number, _ in piece], "line")
    if empty:
        raise LecoError(f"'{name}' has no texts. Write one on each line, or give a table ({', '.join(READERS)}).")


def _objects(name: str, file: BinaryIO, encoding: str | None) -> Iterator[Table]:
    """The objects on the lines that are not blank."""
    empty = True
    for lines in numbered_lines(name, file, encoding):
        rows = [(number, parse_json(line, f"'{name}', line {number}")) for number, line in lines if line.strip()]
        if rows:
            empty = False
            yield from tables_from_objects(name, rows, "line", PIECE)
    if empty:
        yield Table(name, {}, [])  # which says that there are no rows


def rows_of(table: Table, columns: Sequence[str]) -> Rows:
    """The rows of a table with the texts of the columns; LecoError names the first cell that is something else."""
    nothing = [None] * len(table)  # lines of JSON may lack what lines before had
    cells = [table.columns.get(column, nothing) for column in columns]
    for column, values in zip(columns, cells, strict=True):
        for row, value in enumerate(values):
            if not (isinstance(value, str) or _is_none(value)):
                raise LecoError(
                    f"{table.where(row)}: the column '{column}' has {shortened(repr(value))}, which is not text. "
                    f"{remedy(TEXT)}"
                )
            if isinstance(value, str) and (half := half_character(value)):
                raise LecoError(f"{table.where(row)}: the column '{shortened(column)}' {half}")
    rows = list(zip(*([value if isinstance(value, str) else "" for value in values] for values in cells), strict=True))
    missing = [
        next((f"{column} is empty" for column, part in zip(columns, row, strict=True) if not part.strip()), None)
        for row in rows
    ]
    return Rows([row[0] if len(row) == 1 else row for row in rows], missing, table.columns)


def _is_none(cell: Any) -> bool:
    """Whether a cell has nothing in it."""
    return cell is None or (isinstance(cell, float) and isnan(cell))


def find_text_columns(table: Table, named: Sequence[str] | None, log: Callable[[str], None]) -> tuple[str, ...]:
    """The columns that the user names, or else those that are guessed, which a line to `log` says.

    LecoError where one is missing, or none can be guessed.
    """
    if found := check_text_columns(table, named):
        return found
    content = content_columns(table)
    columns = guess_text_columns(table) or (tuple(content) if len(content) == 1 else ())
    if not columns:
        known = listed(list(table.columns))
        raise LecoError(
            f"Which column of '{table.name}' is the text? Name it with {parameter(TEXT)}. Its columns: {known}."
        )
    names = " and ".join(f"'{column}'" for column in columns)
    log(f"Columns: text = {names} (set it with {parameter(TEXT)})")
    return columns
