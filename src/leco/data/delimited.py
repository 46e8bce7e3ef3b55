"""Tables whose cells a character separates: which one does, whether quotes count, and whether there is a header."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import chain, islice
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from leco.data.columns import LABELS, MAYBE_LABELS, PAIRS, TEXTS, is_number
from leco.data.encodings import text_lines
from leco.data.tables import Table, is_blank, tables_from_cells
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.settings import SourceOptions

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 100
"""Lines by which it is found out how a file is written."""
NAMED = re.compile(r'"?sep=([^"\r\n\0])"?(?=[\r\n]|$)', re.IGNORECASE)
"""The line by which programs tell Excel what separates cells."""
LONG_NAME, MANY_WORDS = 60, 4
"""Characters and words of a text, which names of columns hardly have."""


def delimited_tables(
    name: str, file: BinaryIO, size: int | None, source: SourceOptions, *, usual: str
) -> Iterator[Table]:
    """The table in a file, in pieces of `size` rows or whole, with the delimiter that `usual`ly is there or is found.

    Where tabs separate, quotes are honoured where they are consistent: many files do not quote at all, and use `"` as
    a character. A first line by which Excel is told the delimiter (`named_delimiter`) names it here, too, and is no
    row. LecoError where the delimiter or the header cannot be known, and as `split_cells` says.
    """
    with nullcontext(file) if file.seekable() else TemporaryFile() as twice:
        if twice is not file:
            copyfileobj(file, twice)
            twice.seek(0)
        head = list(islice(text_lines(twice, name, source.encoding), LOOKED_AT))
        twice.seek(0)
        named = named_delimiter("".join(head[:1]))
        start = 0 if named is None else 1
        delimiter = _given(source.delimiter) if source.delimiter is not None else (named or _found(name, head, usual))
        quoted = delimiter != "\t" or _is_quoted(text_lines(twice, name, source.encoding), start)
        twice.seek(0)
        rows = split_cells(name, text_lines(twice, name, source.encoding), delimiter, quoted)
        yield from tables_from_cells(name, _with_header(name, islice(rows, start, None), source), size)


def named_delimiter(line: str) -> str | None:
    """The delimiter that a first line names for Excel, which does not show that line; None where it names none.

    >>> named_delimiter("sep=;"), named_delimiter("text;label")
    (';', None)
    """
    found = NAMED.match(line)
    return found[1] if found else None


def split_cells(
    name: str, lines: Iterable[str], delimiter: str, quoted: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row, none of a blank line. LecoError if the quoting is broken."""
    csv.field_size_limit(2**31 - 1)  # the default refuses texts of more than 131,072 characters
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    parts = (part for line in lines for part in io.StringIO(line, newline=""))  # of files whose lines end with \\r
    reader = csv.reader(parts, delimiter=delimiter, quoting=quoting, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise LecoError(
            f"'{name}', line {line} has broken quoting ({error}). Put the text in double quotes and double those in it."
        ) from error


def _is_quoted(lines: Iterable[str], start: int) -> bool:
    """Whether all rows from that index on are whole if quotes are honoured, and no stray quote swallows cells."""
    width = 0
    try:
        for _, cells in islice(split_cells("", lines, "\t"), start, None):
            width = width or len(cells)
            if is_blank(cells):
                continue
            if len(cells) != width or any("\t" in cell for cell in cells):
                return False
    except LecoError:
        return False
    return True


def _given(text: str) -> str:
    """The delimiter that a user names; LecoError unless it is one character."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise LecoError(f"{parameter('delimiter')} must be one character, or tab, not '{shortened(text)}'.")
    return delimiter


def _found(name: str, head: Sequence[str], usual: str) -> str:
    """The delimiter by which the first lines have several cells each, and all as many; without one the usual one."""
    if _width(head, usual) > 1:
        return usual
    header = next((line for line in head if line.strip()), "")
    found = [one for one in DELIMITERS if one != usual and _width(head, one) > 1]
    if usual not in header and len(found) == 1:
        return found[0]
    if len(found) > 1 or (found and usual in header):
        shown = " or ".join("a tab" if one == "\t" else f"'{one}'" for one in found)
        raise LecoError(f"What separates the cells of '{name}': {shown}? Name it with {parameter('delimiter')}.")
    return usual


def _width(head: Sequence[str], delimiter: str) -> int:
    """The number of cells of all rows; 0 where they differ."""
    rows: list[list[str]] = []
    try:
        rows.extend(cells for _, cells in split_cells("", head, delimiter) if not is_blank(cells))
    except LecoError:  # a text that goes on behind these lines, or no quoting at all
        if len(rows) < 2:
            rows = [line.split(delimiter) for line in head if line.strip()]
    widths = {len(cells) for cells in rows}
    return widths.pop() if len(widths) == 1 else 0


def _with_header(
    name: str, rows: Iterator[tuple[int, list[str]]], source: SourceOptions
) -> Iterator[tuple[int, list[str]]]:
    """The rows with a header first: their own or, where there is none, the numbers of the columns."""
    filled = ((number, cells) for number, cells in rows if number > 1 or not is_blank(cells))
    first = list(islice(filled, LOOKED_AT))
    while first and is_blank(first[0][1]):
        del first[0]
    if source.header is False and first:
        first.insert(0, (0, [str(place) for place in range(1, len(first[0][1]) + 1)]))
    elif source.header is None and first and _is_doubtful([cells for _, cells in first], source):
        shown = ", ".join(shortened(cell) for cell in first[0][1])
        raise LecoError(
            f"Does the first line of '{name}' name its columns: {shortened(shown, 100)}? Say so with "
            f"{parameter('header=True')}, or else with {parameter('header=False')}: then the columns are 1, 2, ..."
        )
    return chain(first, filled)


def _is_doubtful(rows: Sequence[Sequence[str]], source: SourceOptions) -> bool:
    """Whether the first row may be one of data: no name in it is usual or given, and some cell is like those below."""
    header, *below = ([cell.strip() for cell in row] for row in rows)
    known = {*TEXTS, *LABELS, *MAYBE_LABELS, *chain(*PAIRS), *(source.text_columns or ()), *(source.label_column or ())}
    if any(cell in known or cell.lower() in known for cell in header):
        return False
    if header == [str(place) for place in range(len(header))]:  # as pandas names columns without a name
        return False
    longest = 1 if len(header) == 1 else MANY_WORDS - 1
    return any(
        is_number(cell)
        or len(cell) > LONG_NAME
        or len(cell.split()) > longest
        or (cell and any(row[place : place + 1] == [cell] and row != header for row in below))
        for place, cell in enumerate(header)
    )
