"""Tables that come piece by piece, written as one file, whole or not at all: one writer for each suffix."""

import csv
import json
import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.files import atomic_path, format_json

if TYPE_CHECKING:
    import pyarrow as pa

Columns = Mapping[str, Sequence[Any]]
"""A piece of a table: values [N] by column."""
GROUP = 2**16
"""Rows of a row group of a Parquet file."""


class GrowingTable:
    """The pieces of a table, which lie on disk until all are there: only then are its columns and their types known.

    What is added to rows that have a column of that name already is `predicted_NAME`, as often as need be.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Keep the pieces in a temporary `file`."""
        self._file = file
        self._kept: dict[str, None] = {}
        self._added: dict[str, None] = {}

    def add(self, kept: Columns, added: Columns) -> None:
        """One more piece, with the columns that it had and those that are new."""
        pickle.dump((dict(kept), dict(added)), self._file)
        self._kept.update(dict.fromkeys(kept))
        self._added.update(dict.fromkeys(added))

    @property
    def renamed(self) -> dict[str, str]:
        """The names in the file of the columns that were added."""
        return free_names(self._added, self._kept)

    @property
    def names(self) -> list[str]:
        """All columns, in the order of the file."""
        return [*self._kept, *self.renamed.values()]

    def write(self, path: Path) -> None:
        """Write the file; LecoError where its kind cannot hold the values."""
        with atomic_path(path) as temporary:
            WRITERS[path.suffix.lower()](temporary, self.names, self)

    def __iter__(self) -> Iterator[dict[str, list[Any]]]:
        """The pieces with all columns, None where a piece has none."""
        self._file.seek(0)
        names = self.renamed
        while True:
            try:
                kept, added = pickle.load(self._file)  # what this process has written itself
            except EOFError:
                return
            rows = len(next(iter(added.values())))
            yield {
                **{name: kept.get(name, [None] * rows) for name in self._kept},
                **{new: added.get(name, [None] * rows) for name, new in names.items()},
            }


def free_names(added: Iterable[str], kept: Collection[str]) -> dict[str, str]:
    """Names of new columns that a table with the columns `kept` has not: each its own, or `predicted_NAME`."""
    names: dict[str, str] = {}
    for name in added:
        free = name
        while free in kept or free in names.values():
            free = f"predicted_{free}"
        names[name] = free
    return names


@contextmanager
def growing_table(folder: Path) -> Iterator[GrowingTable]:
    """A block that has a table, which is kept in a file of `folder` that nobody sees."""
    with TemporaryFile(dir=folder) as file:
        yield GrowingTable(file)


def check_suffix(path: Path) -> None:
    """LecoError unless a table can be written into a file with this suffix."""
    if path.suffix.lower() not in WRITERS:
        raise LecoError(
            f"{parameter('output')} '{shortened(path)}' has an unsupported suffix '{path.suffix}'. "
            f"Supported: {', '.join(WRITERS)}."
        )


def _write_csv(path: Path, names: Sequence[str], pieces: Iterable[Columns], delimiter: str = ",") -> None:
    """Lists and objects are JSON in their cells."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(names)
        for piece in pieces:
            writer.writerows(map(_cell, row) for row in zip(*piece.values(), strict=True))


def _cell(value: Any) -> Any:
    return format_json(_plain(value)) if isinstance(value, list | tuple | dict) else value


def _write_jsonl(path: Path, names: Sequence[str], pieces: Iterable[Columns]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for piece in pieces:
            for row in zip(*piece.values(), strict=True):
                file.write(format_json(_plain(dict(zip(names, row, strict=True)))) + "\n")


def _plain(value: Any) -> Any:
    """A value that JSON has; times, decimals and bytes as text."""
    return json.loads(json.dumps(value, default=str))


def _write_parquet(path: Path, names: Sequence[str], pieces: Iterable[Columns]) -> None:
    """The types are those that hold the values of all pieces."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([])
    for piece in pieces:
        schema = _united(schema, piece)
    with ParquetWriter(path, schema) as writer:
        waiting: list[pa.Table] = []
        for piece in pieces:
            waiting.append(pa.table({name: pa.array(piece[name], schema.field(name).type) for name in names}))
            if sum(map(len, waiting)) >= GROUP:
                writer.write_table(pa.concat_tables(waiting).combine_chunks(), GROUP)
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())


def _united(schema: "pa.Schema", piece: Columns) -> "pa.Schema":
    """The schema that holds a piece, too; LecoError names the column with values of several types."""
    import pyarrow as pa

    for name, values in piece.items():
        try:
            own = pa.schema([(name, pa.array(values).type)])
            schema = pa.unify_schemas([schema, own], promote_options="permissive")
        except (pa.ArrowException, OverflowError) as error:
            raise LecoError(
                f"The column '{shortened(name)}' has values of several types, which Parquet cannot hold "
                f"({shortened(error, 100)}). Give {parameter('output')} a name that ends with .jsonl."
            ) from error
    return schema


WRITERS: dict[str, Callable[[Path, Sequence[str], Iterable[Columns]], None]] = {
    ".csv": _write_csv,
    ".tsv": partial(_write_csv, delimiter="\t"),
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
