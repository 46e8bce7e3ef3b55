"""Texts without labels, to be classified."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from leco.data.columns import TEXT_FLAG, check_text_columns, guess_text_columns, texts_of
from leco.data.readers import READERS, read_table
from leco.data.tables import Table, decode, read_bytes
from leco.data.types import Text
from leco.errors import LecoError

logger = logging.getLogger(__name__)

PLAIN = ("", ".txt")


def read_texts(
    source: str | Path,
    *,
    text_columns: Sequence[str] | None = None,
    log: Callable[[str], None] = logger.info,
) -> list[Text]:
    """The texts in a file, or in the standard input if `source` is "-".

    Standard input and files with the suffix .txt or none have a text on each line; blank lines are passed over.
    Tables (.csv .tsv .jsonl .json .parquet) have them in `text_columns`, or in columns guessed from their names.
    LecoError if the file cannot be read, has no texts, or it is unclear which column they are in.
    """
    path = Path(source)
    if str(source) == "-":
        return _lines("standard input", sys.stdin.buffer.read())
    if path.suffix.lower() in PLAIN:
        return _lines(path.name, read_bytes(path))
    table = read_table(path)
    return texts_of(table, check_text_columns(table, text_columns) or _guess(table, log))


def _lines(name: str, content: bytes) -> list[Text]:
    lines = [line.strip() for line in decode(content, name).split("\n")]
    texts: list[Text] = [line for line in lines if line]
    if not texts:
        raise LecoError(f"'{name}' has no texts. Write one on each line, or give a table ({', '.join(READERS)}).")
    return texts


def _guess(table: Table, log: Callable[[str], None]) -> tuple[str, ...]:
    columns = guess_text_columns(table)
    if not columns and len(table.columns) == 1:
        columns = tuple(table.columns)
    if not columns:
        known = ", ".join(table.columns)
        raise LecoError(f"Which column of '{table.name}' is the text? Name it with {TEXT_FLAG}. Its columns: {known}.")
    names = " and ".join(f"'{column}'" for column in columns)
    log(f"Columns: text = {names} (set it with {TEXT_FLAG})")
    return columns
