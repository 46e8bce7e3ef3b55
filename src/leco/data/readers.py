"""Files to tables, one reader for each suffix."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from leco.data.delimited import delimited_tables
from leco.data.encodings import text_lines
from leco.data.opened import open_bytes, suffix_of
from leco.data.tables import Table, check_names, tables_from_objects
from leco.display import shortened
from leco.errors import LecoError
from leco.files import parse_json
from leco.settings import SourceOptions


def read_table(path: Path, source: SourceOptions | None = None) -> Table:
    """The whole table in a file without its blank rows; see `read_tables`."""
    (table,) = read_tables(path, source=source)
    return table.filled()


def read_tables(path: Path, size: int | None = None, source: SourceOptions | None = None) -> Iterator[Table]:
    """The table in a file, in pieces of `size` rows, or whole; its suffix, one of `READERS`, says how to read it.

    `source` names encoding, delimiter and header. Behind the suffix may be .gz. Of a file in pieces no more is in
    memory than a piece, but for JSON.
    LecoError if the suffix is another, or the file is missing, empty, broken (with the line) or in another encoding.
    """
    reader = READERS.get(suffix_of(path))
    if reader is None:
        raise LecoError(f"'{path.name}' has an unsupported suffix '{path.suffix}'. Supported: {', '.join(READERS)}.")
    with open_bytes(path) as file:
        yield from reader(path.name, file, size, source or SourceOptions())


def _read_jsonl(name: str, file: BinaryIO, size: int | None, source: SourceOptions) -> Iterator[Table]:
    lines = enumerate(text_lines(file, name, source.encoding), start=1)
    rows = ((number, parse_json(line, f"'{name}', line {number}")) for number, line in lines if line.strip())
    return tables_from_objects(name, rows, "line", size)


def _read_json(name: str, file: BinaryIO, size: int | None, source: SourceOptions) -> Iterator[Table]:
    rows = parse_json("".join(text_lines(file, name, source.encoding)), f"'{name}'")
    if not isinstance(rows, list):
        raise LecoError(
            f"'{name}' is not a JSON list of objects. Write [{{...}}, ...], or one object a line as .jsonl."
        )
    return tables_from_objects(name, enumerate(rows, start=1), "row", size)


def _read_parquet(name: str, file: BinaryIO, size: int | None, source: SourceOptions) -> Iterator[Table]:
    import pandas as pd
    from pyarrow.parquet import ParquetFile

    row = 1
    with reading_parquet(name):
        whole = ParquetFile(file)
        for piece in whole.iter_batches(size) if size else [whole.read()]:
            frame = piece.to_pandas(types_mapper=pd.ArrowDtype)
            check_names(name, list(map(str, frame)))
            columns = {str(key): [None if cell is pd.NA else cell for cell in frame[key].tolist()] for key in frame}
            yield Table(name, columns, list(range(row, row + len(frame))))
            row += len(frame)
    if row == 1:
        yield Table(name, {}, [])


@contextmanager
def reading_parquet(name: str) -> Iterator[None]:
    """A block that reads a Parquet file; LecoError says why it cannot be read."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, ArithmeticError, ValueError, TypeError, OSError) as error:
        problem = shortened(error, 200)
        raise LecoError(f"'{name}' is not a Parquet file that can be read: {problem}") from error


def parquet_rows(path: Path) -> int | None:
    """How many rows a Parquet file says that it has; None where it is none that can be read."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    with suppress(ArrowException):
        return int(ParquetFile(path).metadata.num_rows)
    return None


READERS: dict[str, Callable[[str, BinaryIO, int | None, SourceOptions], Iterator[Table]]] = {
    ".csv": partial(delimited_tables, usual=","),
    ".tsv": partial(delimited_tables, usual="\t"),
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
