"""Files to tables, one reader for each suffix."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import pandas as pd
from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from leco.data.tables import (
    Table,
    check_names,
    is_blank,
    open_bytes,
    tables_from_cells,
    tables_from_objects,
    text_lines,
)
from leco.display import shortened
from leco.errors import LecoError
from leco.files import parse_json


def read_table(path: Path) -> Table:
    """The whole table in a file without its blank rows; see `read_tables`."""
    (table,) = read_tables(path)
    return table.filled()


def read_tables(path: Path, size: int | None = None) -> Iterator[Table]:
    """The table in a file, in pieces of `size` rows, or whole; its suffix, one of `READERS`, says how to read it.

    Of a file in pieces no more is in memory than a piece, but for JSON.
    LecoError if the suffix is another, or the file is missing, empty, broken (with the line) or not UTF-8.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise LecoError(f"'{path.name}' has an unsupported suffix '{path.suffix}'. Supported: {', '.join(READERS)}.")
    with open_bytes(path) as file:
        yield from reader(path.name, file, size)


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


def _read_csv(name: str, file: BinaryIO, size: int | None) -> Iterator[Table]:
    return tables_from_cells(name, split_cells(name, text_lines(file, name), ","), size)


def _read_tsv(name: str, file: BinaryIO, size: int | None) -> Iterator[Table]:
    """Quotes are honoured where they are consistent. Many files do not quote at all, and use `"` as a character."""
    with nullcontext(file) if file.seekable() else TemporaryFile() as twice:
        if twice is not file:
            copyfileobj(file, twice)
            twice.seek(0)
        quoted = _is_quoted(name, twice)
        twice.seek(0)
        yield from tables_from_cells(name, split_cells(name, text_lines(twice, name), "\t", quoted), size)


def _is_quoted(name: str, file: BinaryIO) -> bool:
    """Whether all rows are whole if quotes are honoured, and no stray quote swallows cells."""
    width = 0
    try:
        for _, cells in split_cells(name, text_lines(file, name), "\t"):
            width = width or len(cells)
            if is_blank(cells):
                continue
            if len(cells) != width or any("\t" in cell for cell in cells):
                return False
    except LecoError:
        return False
    return True


def _read_jsonl(name: str, file: BinaryIO, size: int | None) -> Iterator[Table]:
    lines = enumerate(text_lines(file, name), start=1)
    rows = ((number, parse_json(line, f"'{name}', line {number}")) for number, line in lines if line.strip())
    return tables_from_objects(name, rows, "line", size)


def _read_json(name: str, file: BinaryIO, size: int | None) -> Iterator[Table]:
    rows = parse_json("".join(text_lines(file, name)), f"'{name}'")
    if not isinstance(rows, list):
        raise LecoError(
            f"'{name}' is not a JSON list of objects. Write [{{...}}, ...], or one object a line as .jsonl."
        )
    return tables_from_objects(name, enumerate(rows, start=1), "row", size)


def _read_parquet(name: str, file: BinaryIO, size: int | None) -> Iterator[Table]:
    row = 1
    try:
        whole = ParquetFile(file)
        for piece in whole.iter_batches(size) if size else [whole.read()]:
            frame = piece.to_pandas(types_mapper=pd.ArrowDtype)
            check_names(name, list(map(str, frame)))
            columns = {str(key): [None if cell is pd.NA else cell for cell in frame[key].tolist()] for key in frame}
            yield Table(name, columns, list(range(row, row + len(frame))))
            row += len(frame)
    except (ArrowException, ArithmeticError, ValueError, TypeError, OSError) as error:
        problem = shortened(error, 200)
        raise LecoError(f"'{name}' is not a Parquet file that can be read: {problem}") from error
    if row == 1:
        yield Table(name, {}, [])


READERS: dict[str, Callable[[str, BinaryIO, int | None], Iterator[Table]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
