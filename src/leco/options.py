"""Settings as dataclass fields that carry their own help, unit and range.

The command line is made from these fields, and errors name the flag, the value and what is allowed.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, Field, field, fields
from sys import float_info
from typing import Any, get_type_hints

from leco.errors import LecoError

LARGEST = 2**31 - 1
"""The largest whole number of a setting that has no other maximum: libraries compute with larger ones, in 64 bits."""


def option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    choices: Iterable[str] | None = None,
) -> Any:
    """A dataclass field with a default, a sentence of help (unit and range in it) and the values allowed.

    `minimum` and `maximum` are included in the range, `above` is not; `choices` are the legal names.
    """
    metadata = {"help": help, "minimum": minimum, "maximum": maximum, "above": above, "choices": choices}
    return field(default=default, metadata=metadata)


def flag(name: str) -> str:
    """The command line's flag for the field `name`."""
    return "--" + name.replace("_", "-")


@contextmanager
def naming(flag: str) -> Iterator[None]:
    """A block whose LecoErrors begin with the flag that they are about."""
    try:
        yield
    except LecoError as error:
        raise LecoError(f"{flag}: {error}") from error


def setting_names(options: Any) -> list[str]:
    """The names of the settings of a dataclass, or of an instance: its fields made with `option`."""
    return [one.name for one in fields(options) if "help" in one.metadata]


def validate(options: Any) -> None:
    """Raise LecoError for the first field of a dataclass whose value is of the wrong type or out of its range."""
    hints = get_type_hints(type(options))
    for option_field in fields(options):
        if "help" in option_field.metadata:
            _validate_field(option_field, hints[option_field.name], getattr(options, option_field.name))


def _validate_field(option_field: Field[Any], hint: Any, value: Any) -> None:
    meta = option_field.metadata
    problem = None
    if value is None and option_field.default is None:
        return
    if hint in (int, int | None) and (not isinstance(value, int) or isinstance(value, bool)):
        problem = "a whole number"
    elif hint in (float, float | None) and (
        not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= float_info.max
    ):
        problem = "a number"
    elif hint in (str, str | None) and not isinstance(value, str):
        problem = "text"
    elif hint is bool and not isinstance(value, bool):
        problem = "true or false"
    elif meta["choices"] is not None and value not in meta["choices"]:
        problem = "one of " + ", ".join(meta["choices"])
    elif meta["minimum"] is not None and value < meta["minimum"]:
        problem = f"at least {meta['minimum']:g}"
    elif meta["above"] is not None and value <= meta["above"]:
        problem = f"more than {meta['above']:g}"
    elif meta["maximum"] is not None and value > meta["maximum"]:
        problem = f"at most {meta['maximum']:.10g}"
    elif hint in (int, int | None) and value > LARGEST:
        problem = f"at most {LARGEST}"
    if problem:
        shown = "so large" if isinstance(value, int) and abs(value) > 2**63 else repr(value)
        default = "" if option_field.default is MISSING else f" (default {option_field.default})"
        raise LecoError(f"{flag(option_field.name)} must be {problem}, not {shown}. {meta['help']}{default}")
