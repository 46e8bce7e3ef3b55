"""When to exit: criteria as pure functions of the exits' outputs. A new one is one file and one line here."""

from collections.abc import Mapping
from typing import Any

from leco.criteria.base import MULTI_LABEL, REGRESSION, SINGLE_LABEL, Criterion, State, Task, select, simulate
from leco.criteria.cobee import Cobee
from leco.criteria.confidence import Entropy, Margin, MaxProbability
from leco.criteria.f_pabee import FPabee
from leco.criteria.oracle import Oracle
from leco.criteria.patience import Patience
from leco.criteria.pcee import Pcee
from leco.criteria.static import Static
from leco.criteria.voting import Voting
from leco.errors import LecoError, unknown_name
from leco.registry import Registry

CRITERIA: Registry[type[Criterion]] = Registry(
    "exit criterion",
    {
        criterion.name: criterion
        for criterion in (
            Cobee,
            Patience,
            Entropy,
            MaxProbability,
            Margin,
            FPabee,
            Pcee,
            Voting,
            Static,
            Oracle,
        )
    },
)


def criterion_from_dict(value: Mapping[str, Any]) -> Criterion:
    """The criterion that `Criterion.to_dict` wrote; settings that are not given have their defaults.

    Raises LecoError for an unknown criterion or setting, and for a setting of the wrong type or out of its range.

    >>> criterion_from_dict({"name": "cobee", "tau": 0.2})
    Cobee(tau=0.2, patience=1)
    """
    settings = dict(value)
    name = settings.pop("name", None)
    if name is None:
        raise LecoError(
            f"An exit criterion is an object with a name and settings, for example {Cobee().to_dict()}, but this one "
            f"has no name: {dict(value)}. Known: {', '.join(sorted(CRITERIA))}."
        )
    criterion = CRITERIA[name]
    known = criterion.setting_names()
    for setting in settings:
        if setting not in known:
            raise unknown_name(f"setting of the exit criterion '{criterion.name}'", setting, known)
    return criterion(**settings)


def parse_criterion(text: str) -> Criterion:
    """The criterion that `str` wrote, as on the command line: `NAME` or `NAME:SETTING=VALUE,...`.

    Raises LecoError where the text is not so written, and for whatever `criterion_from_dict` refuses.

    >>> parse_criterion("cobee:tau=0.2,patience=2")
    Cobee(tau=0.2, patience=2)
    """
    name, _, settings = text.partition(":")
    value: dict[str, Any] = {"name": name.strip()}
    for setting in filter(None, settings.split(",")):
        key, equals, written = (part.strip() for part in setting.partition("="))
        if not (key and equals and written):
            raise LecoError(
                f"In the exit criterion '{text}', '{setting}' is not SETTING=VALUE. Write, for example, '{Cobee()}'."
            )
        value[key] = _value(written)
    return criterion_from_dict(value)


def _value(text: str) -> int | float | bool | str:
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


__all__ = [
    "CRITERIA",
    "MULTI_LABEL",
    "REGRESSION",
    "SINGLE_LABEL",
    "Cobee",
    "Criterion",
    "Entropy",
    "FPabee",
    "Margin",
    "MaxProbability",
    "Oracle",
    "Patience",
    "Pcee",
    "State",
    "Static",
    "Task",
    "Voting",
    "criterion_from_dict",
    "parse_criterion",
    "select",
    "simulate",
]
