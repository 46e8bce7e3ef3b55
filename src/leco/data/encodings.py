"""In which encoding a file of text is: what it says itself, what it is named to be, or else UTF-8."""

import codecs
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, cast

from leco.data.opened import open_bytes
from leco.display import shortened
from leco.errors import LecoError, parameter

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks; the one of UTF-32 begins with that of UTF-16."""
HEAD = 1024


def text_lines(file: BinaryIO, name: str, encoding: str | None = None) -> Iterator[str]:
    """The lines of a file with their ends, but for a byte-order mark, which says the encoding whatever is named.

    LecoError for an encoding that there is not, and with the first line that is not in the encoding.
    """
    source: Any = file if hasattr(file, "peek") else BufferedReader(cast("Any", file))
    used = _encoding(source.peek(HEAD)[:HEAD], name, encoding)
    lines = TextIOWrapper(source, used, newline="\n")
    number = 0
    try:
        for line in lines:
            number += 1
            yield line
    except UnicodeError as error:
        inside = error.object.count(b"\n", 0, error.start) if isinstance(error, UnicodeDecodeError) else 0
        shown = "UTF-8" if used.startswith("utf-8") else used
        raise LecoError(
            f"'{name}', line {number + 1 + inside} is not {shown} text. Name the file's encoding with "
            f"{parameter('encoding')}, such as cp1252 or utf-16, or save it with the encoding UTF-8."
        ) from error
    finally:
        if not source.closed:
            lines.detach()  # whoever opened the file closes it
            if source is not file:
                source.detach()


def _encoding(head: bytes, name: str, given: str | None) -> str:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    if given is not None:
        check_encoding(given)
        return given
    if head.count(0) * 4 > len(head):  # letters of UTF-16 and UTF-32 have a zero byte or three, and of UTF-8 none
        raise LecoError(
            f"'{name}' seems to be in UTF-16 or UTF-32, without a mark that says so. Name its encoding with "
            f"{parameter('encoding')}, such as utf-16-le."
        )
    return "utf-8"


def check_encoding(encoding: str) -> None:
    """LecoError unless there is such an encoding of text."""
    try:
        known = codecs.lookup(encoding)
    except (LookupError, ValueError):
        known = None
    if known is None or not known._is_text_encoding:  # of bytes into bytes there are some, too
        raise LecoError(
            f"{parameter('encoding')}: there is no encoding '{shortened(encoding)}'. Name one such as utf-8, utf-16, "
            "cp1252 or latin-1."
        )


def is_marked(file: Any) -> bool:
    """Whether a file begins with the mark of another encoding than UTF-8."""
    return any(_head(file).startswith(mark) for mark, _ in MARKS[1:])


def is_marked_utf8(file: Any) -> bool:
    """Whether a file begins with UTF-8's mark, which wins over an encoding that is named."""
    return _head(file).startswith(MARKS[0][0])


def _head(file: Any) -> bytes:
    return file.peek(HEAD) if hasattr(file, "peek") else b""


def is_utf8(path: Path) -> bool:
    """Whether a file is there, and is UTF-8 text throughout."""
    return holds_utf8(partial(open_bytes, path), path.name)


def holds_utf8(opened: Callable[[], AbstractContextManager[Any]], name: str) -> bool:
    """Whether what is `opened` can be, and is UTF-8 text throughout."""
    try:
        with opened() as file:
            deque(text_lines(file, name), maxlen=0)
    except LecoError:
        return False
    return True
