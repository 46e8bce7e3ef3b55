"""What a JSON file must hold, as types."""

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

from leco.errors import LecoError
from leco.files import format_json

T = TypeVar("T")


def checked(kind: type[T], value: Any, where: str) -> T:
    """A value of JSON as a `kind`: a dataclass, or a type such as `dict[str, int]`; nothing is converted.

    A LecoError begins with `where`, such as "'run.json'", and names the first part that is of another type.

    >>> checked(dict[str, int], {"a": 1}, "'x.json'")
    {'a': 1}
    """
    known = {field.name for field in fields(kind)} if is_dataclass(kind) else {}
    if known and isinstance(value, dict) and (unknown := value.keys() - known):
        raise changed(where, f"it has '{min(unknown)}'")
    from pydantic import ValidationError

    try:
        return cast("T", _adapter(cast("Any", kind)).validate_json(format_json(value), strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        part = ".".join(map(str, first["loc"]))
        raise changed(where, f"{f'{part}: ' if part else ''}{first['msg']}") from error


@cache
def _adapter(kind: Any) -> Any:
    """What validates, which takes longer to make than to use."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def changed(where: str, problem: str) -> LecoError:
    """The error for what is no longer as we wrote it, in a file of ours."""
    return LecoError(f"{where} is not as it was written ({problem}). Delete it and repeat the command that made it.")
