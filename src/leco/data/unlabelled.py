"""Texts without labels, to be classified."""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from leco.data.columns import TEXT, check_text_columns, guess_text_columns, texts_of
from leco.data.readers import READERS, read_tables
from leco.data.tables import Table, decoded, open_bytes
from leco.display import listed
from leco.errors import LecoError, parameter
from leco.tokens import Text

logger = logging.getLogger(__name__)

PLAIN = ("", ".txt")
PIECE = 1024
"""Texts at a time: enough to form batches of similar length, few enough to see answers soon."""
BLOCK = 2**16
"""Bytes of lines at a time."""


def read_texts(
    source: str | Path,
    *,
    text_columns: Sequence[str] | None = None,
    log: Callable[[str], None] = logger.info,
) -> Iterator[list[Text]]:
    """The texts in a file, or in the standard input if `source` is "-", in pieces of at most `PIECE`.

    Standard input and files with the suffix .txt or none have a text on each line; blank lines are passed over. A piece
    is what is there when it is asked for, so that who writes line by line has answers line by line.
    Tables (.csv .tsv .jsonl .json .parquet) have texts in `text_columns`, or in columns guessed from their names.
    LecoError, when the place is reached, if the file cannot be read, has no texts, or it is unclear which column they
    are in.
    """
    path = Path(source)
    if str(source) == "-":
        if sys.stdin is None:
            raise LecoError("Standard input is closed. Give a file of texts, or write them to it.")
        yield from _checked("standard input", sys.stdin.buffer)
    elif path.suffix.lower() in PLAIN:
        with open_bytes(path) as file:
            yield from _checked(path.name, file)
    else:
        columns: tuple[str, ...] = ()
        for table in read_tables(path, PIECE):
            columns = columns or check_text_columns(table, text_columns) or _guess(table, log)
            yield texts_of(table, columns)


def _checked(name: str, file: BinaryIO) -> Iterator[list[Text]]:
    """The texts on the lines of a file; LecoError if there are none, or the file cannot be read."""
    empty = True
    try:
        for line, block in _blocks(file):
            text = decoded(block, name, line)
            lines = (text.removeprefix("\ufeff") if line == 1 else text).split("\n")
            texts: list[Text] = [stripped for text in lines if (stripped := text.strip())]
            for start in range(0, len(texts), PIECE):
                empty = False
                yield texts[start : start + PIECE]
    except OSError as error:
        raise LecoError(f"'{name}' cannot be read: {error.strerror or error}.") from error
    if empty:
        raise LecoError(f"'{name}' has no texts. Write one on each line, or give a table ({', '.join(READERS)}).")


def _blocks(file: Any) -> Iterator[tuple[int, bytes]]:
    """Whole lines, as many as can be read at once, and before them the number of the first."""
    line = 1
    parts: list[bytes] = []  # of a line whose end has not come
    while block := file.read1(BLOCK):
        head, newline, tail = block.rpartition(b"\n")
        if newline:
            whole = b"".join([*parts, head])
            yield line, whole
            line, parts = line + whole.count(b"\n") + 1, []
        parts.append(tail)
    yield line, b"".join(parts)


def _guess(table: Table, log: Callable[[str], None]) -> tuple[str, ...]:
    columns = guess_text_columns(table)
    if not columns and len(table.columns) == 1:
        columns = tuple(table.columns)
    if not columns:
        known = listed(list(table.columns))
        raise LecoError(
            f"Which column of '{table.name}' is the text? Name it with {parameter(TEXT)}. Its columns: {known}."
        )
    names = " and ".join(f"'{column}'" for column in columns)
    log(f"Columns: text = {names} (set it with {parameter(TEXT)})")
    return columns
