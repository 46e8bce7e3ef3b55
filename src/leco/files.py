"""Files that are written whole or not at all, and JSON that is what its readers expect of it."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from secrets import token_hex
from typing import Any, NoReturn

from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.tokens import half_character

TEMPORARY = ".leco-"
"""How the names of files begin that are being written."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to in place of `path`, which takes its place when the block ends without an error.

    The stand-in lies in the same folder, so that the final rename is atomic on every POSIX file system:
    a reader, or a process that is killed at any moment, finds the old file or the new one, never a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY}{token_hex(8)}{path.suffix}")
    temporary.touch(exist_ok=False)
    permissions = temporary.stat().st_mode  # those that the umask leaves; safetensors gives its files none for others
    try:
        yield temporary
        temporary.chmod(permissions)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_path(value: object, name: str) -> None:
    """LecoError unless what the parameter `name` is given is a path, or a name, that can be written down as UTF-8."""
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str) or not path:
        raise LecoError(f"{parameter(name)} must be a path or a name, not {shortened(repr(value))}.")
    if half_character(path):
        raise LecoError(f"{parameter(name)} '{shortened(path)}' is not UTF-8. Rename what it names.")


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
    write_text(path, format_json(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in the file `path`; a LecoError says which file is missing or broken."""
    try:
        return parse_json(path.read_bytes(), f"The file '{path}'")
    except FileNotFoundError as error:
        raise LecoError(f"The file '{path}' does not exist.") from error
    except OSError as error:
        raise LecoError(f"The file '{path}' cannot be read: {error.strerror}.") from error


DEEPEST, LONGEST_INTEGER = 50, 20
"""What JSON of ours never reaches: levels of lists and objects, and characters of a whole number of 64 bits."""


def parse_json(text: str | bytes, where: str) -> Any:
    """The value of a JSON text, in which whatever reads it can trust.

    Its numbers are finite and fit in 64 bits, its texts can be written as UTF-8, and it is nested at most `DEEPEST`
    levels deep. A LecoError for all else, and for what is no JSON, begins with `where`, such as "The file 'run.json'".
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = json.loads(decoded, parse_int=_integer, parse_float=_number, parse_constant=_refuse)
        _check_nesting(value)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise LecoError(f"{where} is not valid JSON: it has half a character (a lone surrogate).") from error
    except RecursionError as error:
        raise LecoError(f"{where} is not valid JSON: it is nested too deeply.") from error
    except ValueError as error:
        raise LecoError(f"{where} is not valid JSON: {error}.") from error
    return value


def format_json(value: Any, indent: int | None = None) -> str:
    """`value` as JSON; a number that JSON does not have (NaN, infinity) is null: there is no value."""
    return json.dumps(_finite(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _integer(text: str) -> int:
    number = int(text) if len(text) <= LONGEST_INTEGER else None
    if number is None or not -(2**63) <= number < 2**63:
        raise ValueError(f"the number {text[:LONGEST_INTEGER]}{'...' * (number is None)} is too large")
    return number


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"the number {text[:LONGEST_INTEGER]} is too large")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _check_nesting(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
    if level:
        raise RecursionError


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(value: Any) -> Any:
    """`value` with None in place of each number that is not finite."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


FIGURE_MARKS = {".svg": b"<dc:title>leco<", ".png": b"Software\0leco"}
"""By which figures of ours are known again."""


def save_figure(figure: Any, path: Path, dpi: int = 150) -> None:
    """Write a figure of Matplotlib, of the kind that the suffix says; an SVG is the same whenever it is drawn."""
    from matplotlib import rc_context

    metadata = {".svg": {"Date": None, "Creator": "leco"}, ".png": {"Software": "leco"}}
    with atomic_path(path) as temporary, rc_context({"svg.fonttype": "none", "svg.hashsalt": "leco"}):
        figure.savefig(temporary, dpi=dpi, metadata=metadata.get(path.suffix))
