"""Files that are written whole or not at all."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leco.errors import LecoError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to in place of `path`, which takes its place when the block ends without an error.

    The stand-in lies in the same folder, so that the final rename is atomic on every POSIX file system:
    a reader, or a process that is killed at any moment, finds the old file or the new one, never a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table with a header to `path`, whole or not at all; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in the file `path`; a LecoError says which file is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LecoError(f"The file '{path}' does not exist.") from error
    except OSError as error:
        raise LecoError(f"The file '{path}' cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LecoError(f"The file '{path}' is not valid JSON: {error}") from error


def save_figure(figure: Any, path: Path, dpi: int = 150) -> None:
    """Write a figure of Matplotlib, of the kind that the suffix says; an SVG is the same whenever it is drawn."""
    from matplotlib import rc_context

    with atomic_path(path) as temporary, rc_context({"svg.fonttype": "none", "svg.hashsalt": "leco"}):
        figure.savefig(temporary, dpi=dpi, metadata={"Date": None} if path.suffix == ".svg" else None)
