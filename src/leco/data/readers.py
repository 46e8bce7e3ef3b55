"""Files to tables, one reader for each suffix."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from leco.data.tables import Table, decode, read_bytes, table_from_cells, table_from_objects
from leco.errors import LecoError


def read_table(path: Path) -> Table:
    """The table in a file; its suffix, one of `READERS`, says how to read it. Blank lines are passed over.

    LecoError if the suffix is another, or the file is missing, empty, broken (with the line) or not UTF-8.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise LecoError(f"'{path.name}' has an unsupported suffix '{path.suffix}'. Supported: {', '.join(READERS)}.")
    return reader(path.name, read_bytes(path))


def split_cells(name: str, text: str, delimiter: str, quoted: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row that is not blank. LecoError if the quoting is broken."""
    csv.field_size_limit(2**31 - 1)  # the default refuses texts of more than 131,072 characters
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise LecoError(
            f"'{name}', line {line} has broken quoting ({error}). Put the text in double quotes and double those in it."
        ) from error


def _read_csv(name: str, content: bytes) -> Table:
    return table_from_cells(name, split_cells(name, decode(content, name), ","))


def _read_tsv(name: str, content: bytes) -> Table:
    """Quotes are honoured where they are consistent. Many files do not quote at all, and use `"` as a character."""
    text = decode(content, name)
    try:
        rows = list(split_cells(name, text, "\t"))
        if not any("\t" in cell for _, cells in rows for cell in cells):  # else a stray quote swallowed cells
            return table_from_cells(name, rows)
    except LecoError:
        pass
    return table_from_cells(name, split_cells(name, text, "\t", quoted=False))


def _read_jsonl(name: str, content: bytes) -> Table:
    lines = enumerate(decode(content, name).split("\n"), start=1)
    rows = ((number, _parse(name, line, number)) for number, line in lines if line.strip())
    return table_from_objects(name, rows, "line")


def _read_json(name: str, content: bytes) -> Table:
    rows = _parse(name, decode(content, name))
    if not isinstance(rows, list):
        raise LecoError(
            f"'{name}' is not a JSON list of objects. Write [{{...}}, ...], or one object a line as .jsonl."
        )
    return table_from_objects(name, enumerate(rows, start=1), "row")


def _parse(name: str, text: str, first_line: int = 1) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise LecoError(f"'{name}', line {line} is broken JSON: {error.msg} at column {error.colno}.") from error


def _read_parquet(name: str, content: bytes) -> Table:
    try:
        frame = pd.read_parquet(io.BytesIO(content), dtype_backend="pyarrow")
    except (ValueError, OSError) as error:
        raise LecoError(f"'{name}' is not a Parquet file that can be read: {error}") from error
    columns = {str(key): [None if cell is pd.NA else cell for cell in frame[key].tolist()] for key in frame}
    return Table(name, columns, list(range(1, len(frame) + 1)))


READERS: dict[str, Callable[[str, bytes], Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
