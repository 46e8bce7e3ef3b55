"""When to exit: criteria as pure functions of the exits' outputs. A new one is one file and, here, its name."""

from collections.abc import Mapping
from typing import Any

from leco.criteria.base import (
    DOUBTS,
    EVIDENCE,
    Criterion,
    Observed,
    State,
    Task,
    exit_places,
    exits_in_words,
    first_counted,
    select,
    setting_arrays,
    simulate,
)
from leco.criteria.beem import Beem as Beem
from leco.criteria.cap import Cap as Cap
from leco.criteria.cobee import Cobee as Cobee
from leco.criteria.confidence import Entropy as Entropy
from leco.criteria.confidence import Margin as Margin
from leco.criteria.confidence import MaxProbability as MaxProbability
from leco.criteria.ensemble import Ensemble as Ensemble
from leco.criteria.f_pabee import FPabee as FPabee
from leco.criteria.lte import Lte as Lte
from leco.criteria.oracle import Oracle as Oracle
from leco.criteria.patience import Patience as Patience
from leco.criteria.pcee import Pcee as Pcee
from leco.criteria.static import Static as Static
from leco.criteria.voting import Voting as Voting
from leco.display import shortened
from leco.errors import LecoError
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from leco.registry import Registry, build_variant, parse_variant

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
            Beem,
            Ensemble,
            Lte,
            Cap,
            Static,
            Oracle,
        )
    },
)
"""The criteria by the names that the setting `criterion` takes."""


def criterion_from_dict(value: Mapping[str, Any]) -> Criterion:
    """The criterion that `Criterion.to_dict` wrote; settings that are not given have their defaults.

    Raises LecoError for an unknown criterion or setting, and for a setting of the wrong type or out of its range.

    >>> criterion_from_dict({"name": "cobee", "tau": 0.2})
    Cobee(tau=0.2, patience=1)
    """
    settings = dict(value) if isinstance(value, Mapping) else {}
    name = settings.pop("name", None)
    if name is None:
        raise LecoError(
            f"An exit criterion is an object with a name and settings, for example {Cobee().to_dict()}, but this one "
            f"has no name: {value}. Known: {', '.join(sorted(CRITERIA))}."
        )
    return build_variant(CRITERIA, name, settings)


def parse_criterion(text: str) -> Criterion:
    """The criterion that `str` wrote, as on the command line: `NAME` or `NAME:SETTING=VALUE,...`.

    Raises LecoError where the text is not so written, and for whatever `criterion_from_dict` refuses.

    >>> parse_criterion("cobee:tau=0.2,patience=2")
    Cobee(tau=0.2, patience=2)
    """
    name, settings = parse_variant(text, example=str(Cobee()))
    return build_variant(CRITERIA, name, settings)


def check_deployable(criterion: Criterion | str) -> None:
    """Raise LecoError unless a model can use a criterion, given as such or by name; one that needs labels it cannot."""
    kind = CRITERIA[criterion] if isinstance(criterion, str) else criterion
    if not kind.deployable:
        raise LecoError(f"'{kind.name}' needs the labels: it is for analysis. Choose one that a model can use.")


def as_criterion(given: Criterion | str | None, default: Criterion) -> Criterion:
    """A criterion that may be written, as `parse_criterion` reads it, or not given at all: then it is the `default`.

    Raises LecoError for one that a model cannot use, and for whatever `parse_criterion` refuses.

    >>> as_criterion("entropy:tau=0.5", Static())
    Entropy(tau=0.5, normalized=False)
    """
    if given is None:
        return default
    criterion = parse_criterion(given) if isinstance(given, str) else given
    if not isinstance(criterion, Criterion):
        raise LecoError(
            f"The criterion must be one such as {Cobee()!r}, or a text such as '{Cobee()}', not "
            f"{shortened(repr(given))}."
        )
    check_deployable(criterion)
    return criterion


__all__ = [
    "CRITERIA",
    "DOUBTS",
    "EVIDENCE",
    "MULTI_LABEL",
    "REGRESSION",
    "SINGLE_LABEL",
    "Criterion",
    "Observed",
    "State",
    "Task",
    "as_criterion",
    "check_deployable",
    "criterion_from_dict",
    "exit_places",
    "exits_in_words",
    "first_counted",
    "parse_criterion",
    "select",
    "setting_arrays",
    "simulate",
]
__all__ += [criterion.__name__ for criterion in CRITERIA.values()]
