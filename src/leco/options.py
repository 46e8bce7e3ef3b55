"""Settings as dataclass fields that carry their own help, unit and range.

A group of settings is a frozen dataclass; an instance of it holds the values, or the defaults of a function that takes
them by name. The signatures of such functions, the command line and all checks are made from the fields.
"""

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, Field, field, fields, replace
from functools import cache
from pathlib import Path
from sys import float_info
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from leco.errors import LecoError, parameter, unknown_name

Group = TypeVar("Group")
Function = TypeVar("Function", bound=Callable[..., Any])

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
    **more: Any,
) -> Any:
    """A dataclass field with a default, a sentence of help (unit and range in it) and the values allowed.

    `minimum` and `maximum` are included in the range, `above` is not; `choices` are the legal names. Of `more`, which
    the field's metadata have too, `below` is not in the range, and `identifies=False` is a setting that may change
    while a run goes on.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Speed:
    ...     share: float = option(0.5, "Share of the layers, 0 to 1.", minimum=0, maximum=1)
    >>> setting_names(Speed), Speed().share
    (['share'], 0.5)
    """
    allowed = {"minimum": minimum, "maximum": maximum, "above": above, "below": None, "choices": choices}
    return field(default=default, metadata={"help": help, **allowed, **more})


@contextmanager
def naming(*names: str, value: object = None) -> Iterator[None]:
    """A block whose LecoErrors begin with the parameters that they are about, and with the value of the one, if given.

    >>> with naming("strategy"):
    ...     raise LecoError("wrong")
    Traceback (most recent call last):
    leco.errors.LecoError: strategy: wrong
    """
    try:
        yield
    except LecoError as error:
        about = ", ".join(map(parameter, names)) + ("" if value is None else f" '{value}'")
        raise LecoError(f"{about}: {error}") from error


hints_of = cache(get_type_hints)
"""The types of a class's fields, which take long to find."""


def settings_of(group: Any) -> dict[str, tuple[Field[Any], Any]]:
    """The settings of a `group`, a dataclass or an instance, by name: fields made with `option`, each with its type."""
    hints = hints_of(group if isinstance(group, type) else type(group))
    return {one.name: (one, hints[one.name]) for one in fields(group) if "help" in one.metadata}


def setting_names(group: Any) -> list[str]:
    """The names of the settings of a `group`, a dataclass or an instance of one."""
    return list(settings_of(group))


def fill(defaults: Group, given: Mapping[str, Any], *, strict: bool = False) -> Group:
    """The group `defaults` with those of its settings that are `given`, which unless `strict` may be more.

    None is not given, but for a setting that may be None. LecoError for a value that is not allowed.

    >>> from leco.criteria import Cobee
    >>> fill(Cobee(), {"patience": 3, "other": None})
    Cobee(tau=0.1, patience=3)
    """
    if strict:
        check_names([defaults], given)
    values = {}
    for name, (_, hint) in settings_of(defaults).items():
        if name in given and (given[name] is not None or _may_be_none(hint)):
            values[name] = _converted(given[name], _kind(hint))
    return replace(defaults, **values)  # type: ignore[type-var]  # a group is a dataclass


def check_names(groups: Iterable[Any], given: Iterable[str]) -> None:
    """Raise LecoError for a name among those `given` that is a setting of none of the `groups`."""
    known = [name for group in groups for name in setting_names(group)]
    for name in given:
        if name not in known:
            raise unknown_name("option", name, known)


def taking(*groups: Any) -> Callable[[Function], Function]:
    """Show the settings of groups, which a function takes by name as its `**options`, in its signature and docstring.

    The values of the groups are the defaults.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(group, name), annotation=hint)
            for group in groups
            for name, (_, hint) in settings_of(group).items()
        ]
        lines = [f"    {name}: {help_of(group, name)}" for group in groups for name in setting_names(group)]
        function.__doc__ = "\n".join([inspect.cleandoc(function.__doc__ or ""), "", "Options:", *lines])
        function.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        return function

    return decorate


def help_of(group: Any, name: str, word: str = "default") -> str:
    """The help of the setting `name`, with the group's value, if it has one, behind `word`.

    >>> from leco.criteria import Entropy
    >>> help_of(Entropy(), "normalized")
    'Divide the entropy by log K, so that it lies between 0 and 1. (default: False)'
    """
    text, value = settings_of(group)[name][0].metadata["help"], getattr(group, name)
    return str(text) if value is None else f"{text} ({word}: {value})"


def validate(options: Any) -> None:
    """Raise LecoError for the first setting of `options` whose value is of the wrong type or out of its range."""
    for one, hint in settings_of(options).values():
        _validate_field(one, hint, getattr(options, one.name))


def _may_be_none(hint: Any) -> bool:
    return type(None) in get_args(hint)


def _kind(hint: Any) -> Any:
    """The type of a setting, None apart: `int` of `int | None`, `tuple` of `tuple[str, ...] | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    return get_origin(hint) or hint


def _validate_field(option_field: Field[Any], hint: Any, value: Any) -> None:
    if value is None and _may_be_none(hint):
        return
    meta, kind = option_field.metadata, _kind(hint)
    problem = _wrong_type(kind, value)
    if problem:
        pass
    elif meta["choices"] is not None and value not in meta["choices"]:
        problem = "one of " + ", ".join(meta["choices"])
    elif meta["minimum"] is not None and value < meta["minimum"]:
        problem = f"at least {meta['minimum']:g}"
    elif meta["above"] is not None and value <= meta["above"]:
        problem = f"more than {meta['above']:g}"
    elif meta["maximum"] is not None and value > meta["maximum"]:
        problem = f"at most {meta['maximum']:.10g}"
    elif meta["below"] is not None and value >= meta["below"]:
        problem = f"below {meta['below']:g}"
    elif kind is int and meta["maximum"] is None and value > LARGEST:
        problem = f"at most {LARGEST}"
    if problem:
        shown = "so large" if isinstance(value, int) and abs(value) > 2**63 else repr(value)
        default = "" if option_field.default in (MISSING, None) else f" (default {option_field.default})"
        raise LecoError(f"{parameter(option_field.name)} must be {problem}, not {shown}. {meta['help']}{default}")


def _converted(value: Any, kind: Any) -> Any:
    """A path given as text, where no text is none, and names given as a list, or one name, as the setting has them."""
    if kind is Path and isinstance(value, str):
        return Path(value) if value else None
    if kind is tuple and isinstance(value, str):
        return (value,)
    return tuple(value) if kind is tuple and isinstance(value, list) else value


def _wrong_type(kind: Any, value: Any) -> str | None:
    """What a value of this type would be, where `value` is none."""
    if kind is int and (not isinstance(value, int) or isinstance(value, bool)):
        return "a whole number"
    if kind is float and (
        not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= float_info.max
    ):
        return "a number"
    if kind is str and not isinstance(value, str):
        return "text"
    if kind is bool and not isinstance(value, bool):
        return "true or false"
    if kind is Path and not isinstance(value, Path):
        return "a path"
    if kind is tuple and not (isinstance(value, tuple) and all(isinstance(one, str) for one in value)):
        return "a list of names"
    return None
