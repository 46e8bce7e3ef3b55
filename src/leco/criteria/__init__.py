"""When to exit: criteria as pure functions of the exits' outputs. A new one is one class and one line here."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from leco.criteria.base import MULTI_LABEL, REGRESSION, SINGLE_LABEL, Criterion, State, Task, select, simulate
from leco.criteria.cobee import Cobee
from leco.criteria.confidence import Entropy, Margin, MaxProbability
from leco.criteria.patience import Patience
from leco.criteria.static import Oracle, Static
from leco.errors import LecoError, unknown_name
from leco.registry import Registry

CRITERIA: Registry[type[Criterion]] = Registry(
    "exit criterion",
    {criterion.name: criterion for criterion in (Cobee, Patience, Entropy, MaxProbability, Margin, Static, Oracle)},
)


def criterion_from_dict(value: Mapping[str, Any]) -> Criterion:
    """The criterion that `Criterion.to_dict` wrote; settings that are not given have their defaults."""
    criterion = CRITERIA[value["name"]]
    settings = {name: setting for name, setting in value.items() if name != "name"}
    known = [field.name for field in fields(criterion)]
    for name in settings:
        if name not in known:
            raise unknown_name(f"setting of the criterion '{criterion.name}'", name, known)
    return criterion(**settings)


def parse_criterion(text: str) -> Criterion:
    """A criterion written as `NAME` or `NAME:SETTING=VALUE,...`, as on the command line: `cobee:tau=0.1,patience=2`."""
    name, _, settings = text.partition(":")
    value: dict[str, Any] = {"name": name}
    for setting in filter(None, settings.split(",")):
        key, equals, number = setting.partition("=")
        try:
            value[key.strip()] = _number(number) if equals else True
        except ValueError as error:
            raise LecoError(
                f"In the criterion '{text}', '{setting}' is not SETTING=NUMBER, for example tau=0.1."
            ) from error
    return criterion_from_dict(value)


def _number(text: str) -> float | int | bool:
    if text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    try:
        return int(text)
    except ValueError:
        return float(text)


__all__ = [
    "CRITERIA",
    "MULTI_LABEL",
    "REGRESSION",
    "SINGLE_LABEL",
    "Cobee",
    "Criterion",
    "Entropy",
    "Margin",
    "MaxProbability",
    "Oracle",
    "Patience",
    "State",
    "Static",
    "Task",
    "criterion_from_dict",
    "parse_criterion",
    "select",
    "simulate",
]
