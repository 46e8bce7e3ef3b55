"""Answers of a part beside its rows, written as the part is."""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from shutil import copyfileobj

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from leco.bulk.job import Job, PartError
from leco.bulk.parts import Part
from leco.bulk.reading import BYTES, gathered
from leco.data.opened import PACKED
from leco.data.writers import GROUP, WRITERS, Columns, growing_table
from leco.display import shortened


def write_parquet(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write tables of one schema, of which there is at least one, in row groups."""
    first = next(tables)
    with ParquetWriter(path, first.schema) as writer:
        for held in gathered(chain([first], tables), GROUP, 2 * BYTES):
            writer.write_table(pa.concat_tables(held))


def write_rows(path: Path, pieces: Iterable[tuple[Columns, Columns]], part: Part, job: Job) -> None:
    """Write rows and their answers, which lie on disk until the columns of all are known.

    PartError where a row has something under the name of an answer's column.
    """
    with growing_table(path.parent) as table:
        for kept, answers in pieces:
            table.add(kept, {job.added[name]: values for name, values in answers.items()})
        if taken := [name for name, new in table.renamed.items() if new != name]:
            raise PartError(
                f"'{part.name}' has rows with '{shortened(taken[0])}', where the answers go since '{job.shape.part}' "
                "has no such column. Rename it."
            )
        _write(path, part.kind, table.names or [name for name, _ in job.shape.columns] + [*job.added.values()], table)


def _write(path: Path, kind: str, names: Sequence[str], pieces: Iterable[Columns]) -> None:
    if not path.name.lower().endswith(PACKED):
        WRITERS[f".{kind}"](path, names, pieces)
        return
    whole = path.with_name(f"{path.name}.whole")
    try:
        WRITERS[f".{kind}"](whole, names, pieces)
        with whole.open("rb") as file, path.open("wb") as target, gzip.GzipFile("", "wb", 9, target, mtime=0) as packed:
            copyfileobj(file, packed)  # which has no name and no time in it: it is the same whenever it is written
    finally:
        whole.unlink(missing_ok=True)
