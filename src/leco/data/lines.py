"""Lines as they come, from a file or from the standard input."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from leco.data.encodings import is_marked, text_lines
from leco.data.opened import decoded
from leco.errors import LecoError

STDIN = "standard input"
BLOCK = 2**16
"""Bytes of lines at a time."""


def numbered_lines(name: str, file: BinaryIO, encoding: str | None = None) -> Iterator[list[tuple[int, str]]]:
    """The lines that can be read at once, each with its number; what stands behind the last end of a line is one.

    In another encoding than UTF-8, as a byte-order mark or `encoding` says, they come one by one.
    """
    if encoding is not None or is_marked(file):
        for number, line in enumerate(text_lines(file, name, encoding), start=1):
            yield [(number, line.removesuffix("\n"))]
        return
    for number, block in _blocks(file):
        text = _decoded(block, name, number)
        yield list(enumerate((text.removeprefix("\ufeff") if number == 1 else text).split("\n"), start=number))


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
