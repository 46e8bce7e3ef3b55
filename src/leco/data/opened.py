"""Files that are read, packed by gzip or not, with errors that say what is wrong."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePath
from typing import Any, BinaryIO, cast

from leco.display import shortened
from leco.errors import LecoError, parameter

PACKED = ".gz"


def suffix_of(path: PurePath) -> str:
    """The suffix that says how a file is written, in small letters: that of "x.csv.gz" is ".csv"."""
    suffix = path.suffix.lower()
    return PurePath(path.stem).suffix.lower() if suffix == PACKED else suffix


def stem_of(path: Path) -> str:
    """The name of a file without its suffixes, in small letters."""
    return (Path(path.stem).stem if path.suffix.lower() == PACKED else path.stem).lower()


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """A block that reads a file; LecoError says why it cannot be read."""
    with reading(path), _opened(path) as file:
        yield file


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """A block that reads a file, wherever it lies; LecoError says why it cannot be read."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LecoError(f"The file '{shortened(path, 200)}' is no whole gzip file: {error}.") from error
    except FileNotFoundError as error:
        raise LecoError(f"The file '{path}' does not exist. Check the path.") from error
    except OSError as error:
        raise LecoError(f"The file '{shortened(path, 200)}' cannot be read: {error.strerror or error}.") from error


def unpacked(file: Any, name: str) -> BinaryIO:
    """What is in an open file, which gzip has packed where its name ends with .gz."""
    packed = name.lower().endswith(PACKED)
    return cast("Any", BufferedReader(cast("Any", gzip.GzipFile(fileobj=file)) if packed else file))


def _opened(path: Path) -> BinaryIO:
    try:
        if path.suffix.lower() == PACKED:
            return cast("Any", BufferedReader(cast("Any", gzip.open(path))))
        return path.open("rb")
    except ValueError as error:  # a name with a zero byte
        raise OSError(str(error)) from error


def decoded(content: bytes, name: str, line: int = 1, encoding: str = "utf-8") -> str:
    """The text; LecoError names the first line that is not in the encoding, where `content` begins at the `line`."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        shown = "UTF-8" if encoding == "utf-8" else encoding
        problem = f"'{name}', line {line} is not {shown} text."
        raise LecoError(f"{problem} Name the file's encoding with {parameter('encoding')}.") from error
