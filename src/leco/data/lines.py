"""Lines as they come, from a file or from the standard input."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from leco.data.encodings import check_encoding, is_marked, is_marked_utf8, text_lines
from leco.data.opened import decoded
from leco.data.tables import in_pieces
from leco.errors import LecoError

STDIN = "standard input"
PIECE = 1024
"""Rows at a time: enough to form batches of similar length, few enough to see answers soon."""
BLOCK = 2**16
"""Bytes of lines at a time."""


def numbered_lines(name: str, file: BinaryIO, encoding: str | None = None) -> Iterator[list[tuple[int, str]]]:
    """The lines that can be read at once, each with its number; what stands behind the last end of a line is one.

    In an encoding whose ends of lines are other bytes, such as UTF-16, they come in pieces of `PIECE`.
    """
    if is_marked_utf8(file):
        encoding = None
    if is_marked(file) or not _has_usual_ends(encoding):
        lines = (line.removesuffix("\n") for line in text_lines(file, name, encoding))
        yield from filter(None, in_pieces(enumerate(lines, start=1), PIECE))
        return
    for number, block in _blocks(file):
        text = decoded(block, name, number, encoding) if encoding else _decoded(block, name, number)
        yield list(enumerate((text.removeprefix("\ufeff") if number == 1 else text).split("\n"), start=number))


def _has_usual_ends(encoding: str | None) -> bool:
    """Whether lines end with one byte, as in UTF-8 and whatever else has ASCII in it."""
    if encoding is not None:
        check_encoding(encoding)
    return encoding is None or "\n".encode(encoding) == b"\n"


def _decoded(block: bytes, name: str, line: int) -> str:
    """UTF-8 text, or else that of the encoding which Python was told, or found, of the standard input."""
    try:
        return decoded(block, name, line)
    except LecoError:
        own = getattr(sys.stdin, "encoding", None) if name == STDIN else None
        with suppress(UnicodeDecodeError):
            if own:
                return block.decode(own)
        raise


def _blocks(file: Any) -> Iterator[tuple[int, bytes]]:
    """Whole lines without the last end, as many as can be read at once, and before them the number of the first."""
    line = 1
    parts: list[bytes] = []  # of a line whose end has not come
    while block := file.read1(BLOCK):
        head, newline, tail = block.rpartition(b"\n")
        if newline:
            whole = b"".join([*parts, head])
            yield line, whole
            line, parts = line + whole.count(b"\n") + 1, []
        parts.append(tail)
    if rest := b"".join(parts):
        yield line, rest
