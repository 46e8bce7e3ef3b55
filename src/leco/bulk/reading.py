"""The rows of a part, some at a time, however large it is."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from leco.bulk.job import Columns
from leco.bulk.options import PARQUET
from leco.bulk.parts import Part
from leco.bulk.places import opened
from leco.bulk.source import Source
from leco.data.readers import READERS, reading_parquet
from leco.data.tables import NoRowsError, Table, check_names

WINDOW, BYTES = 4096, 2**23
"""Rows of Parquet, and their bytes, that are answered at a time: enough to form batches of texts of similar length."""
STEP = 256
"""Rows that are read at a time, since a row may be large."""
PIECE = 1024
"""Rows of the other kinds."""
BUFFER = 2**20
"""Bytes of each column that are read at a time, so that a row group is never whole in memory."""


@dataclass(frozen=True)
class Head:
    """What a part says before its rows are read: its columns, None where nothing says them, and the number of rows."""

    columns: Columns | None
    rows: int | None = None


def read_head(part: Part, source: Source) -> Head:
    """The head of a part; LecoError where it cannot be read."""
    if part.kind == PARQUET:
        with _parquet(part) as file:
            return Head(columns_of(file.schema_arrow), file.metadata.num_rows)
    try:
        return Head(named(next(_tables(part, source)).columns))
    except NoRowsError as empty:
        return Head(named(empty.columns) or None)


def first_rows(part: Part, source: Source) -> Table | None:
    """Its first rows; None where there are none. LecoError where it cannot be read."""
    if part.kind == PARQUET:
        kept = next(parquet_windows(part))
        return as_table(part, kept, kept.column_names, 1) if len(kept) else None
    return next(row_windows(part, source), None)


def columns_of(schema: pa.Schema) -> Columns:
    """The columns of a schema, without what is noted beside them."""
    return tuple((field.name, str(field.type)) for field in schema)


def named(columns: Iterable[str]) -> Columns:
    """The columns of a part of another kind, which have no types."""
    return tuple((name, "") for name in columns)


def parquet_windows(part: Part) -> Iterator[pa.Table]:
    """The rows of a Parquet file as they are there, at least one table; LecoError where it cannot be read."""
    with _parquet(part) as file:
        yield from _windows(file.schema_arrow, file.iter_batches(STEP, use_threads=False))


def row_windows(part: Part, source: Source) -> Iterator[Table]:
    """The rows of a part of another kind, if it has any; LecoError where it cannot be read."""
    with suppress(NoRowsError):
        yield from _tables(part, source)


def _tables(part: Part, source: Source) -> Iterator[Table]:
    """The same, but that an error says the columns of a part without rows."""
    with opened(part.address) as file:
        yield from READERS[f".{part.kind}"](part.name, file, PIECE, source.of(part))


def as_table(part: Part, window: pa.Table, columns: Iterable[str], first: int) -> Table:
    """Some columns of a window as Python has them; `first` is the number of its first row."""
    with reading_parquet(part.name):  # texts are decoded only now
        cells = {name: window.column(name).to_pylist() for name in columns}
    return Table(part.name, cells, list(range(first, first + len(window))))


@contextmanager
def _parquet(part: Part) -> Iterator[ParquetFile]:
    with opened(part.address) as file, reading_parquet(part.name):
        found = ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)
        check_names(part.name, found.schema_arrow.names)
        yield found


def _windows(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    yielded = False
    for held in gathered(batches, WINDOW, BYTES):
        yielded = True
        yield pa.Table.from_batches(held, schema)
        pa.default_memory_pool().release_unused()  # which would be kept, as much as the largest window had
    if not yielded:
        yield schema.empty_table()


def gathered(pieces: Iterable[Any], rows: int, size: int) -> Iterator[list[Any]]:
    """The pieces (of Arrow) in lists of so many rows or bytes, or a little more."""
    held: list[Any] = []
    for piece in pieces:
        held.append(piece)
        if sum(map(len, held)) >= rows or sum(one.nbytes for one in held) >= size:
            yield held
            held = []
    if held:
        yield held
