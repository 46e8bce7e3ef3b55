"""The setting that calibration texts allow, over one order of settings or several."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.calibration.rules import Rule
from leco.criteria import Criterion

Array = NDArray[Any]


@dataclass(frozen=True)
class Tried:
    """A setting of a `criterion`: the `losses` [N] of the calibration texts by it, and their `exit_layers` [N]."""

    criterion: Criterion
    losses: Array
    exit_layers: Array


Try = Callable[[Criterion], Tried]
"""What tries a setting on the calibration texts."""


def select(
    rule: Rule, chains: Mapping[str, Sequence[Criterion]], attempt: Try, bound: float, delta: float
) -> Tried | None:
    """Of the settings that are allowed in each of the orders, that with the earliest exits; None where none is allowed.

    Args:
        rule: says which settings pass, and what share of the risk each order has.
        chains: for each kind of criterion its settings, from the latest exits to the earliest.
        attempt: tries a setting on the calibration texts; none behind the first failure, where the rule ends there.
        bound: what the risk, the mean loss, is to be at most; from 0 to 1.
        delta: the probability of an error that is allowed: one minus the confidence.

    >>> from leco.calibration import RULES
    >>> from leco.criteria import Static
    >>> def attempt(criterion):  # at layer 2 a text of a hundred is lost, at layer 1 each second one
    ...     lost = {3: 0, 2: 1, 1: 50}[criterion.layer]
    ...     return Tried(criterion, np.arange(100) < lost, np.full(100, criterion.layer))
    >>> select(RULES["ltt"], {"static": [Static(3), Static(2), Static(1)]}, attempt, bound=0.05, delta=0.1).criterion
    Static(layer=2)

    """
    shared = rule.share(bound, delta, len(chains))
    allowed = (last_allowed(rule, map(attempt, chain), *shared) for chain in chains.values())
    return min((one for one in allowed if one is not None), key=lambda one: one.exit_layers.mean(), default=None)


def last_allowed(rule: Rule, tried: Iterable[Tried], bound: float, delta: float) -> Tried | None:
    """What a rule selects of settings in their order; none is tried behind the first failure, where that ends it."""
    some: list[Tried] = []
    place = -1
    for one in tried:
        some.append(one)
        if rule.stops:
            place = int(rule.select(np.stack([each.losses for each in some]), bound, delta))
            if place < len(some) - 1:
                break
    if some and not rule.stops:
        place = int(rule.select(np.stack([one.losses for one in some]), bound, delta))
    return some[place] if place >= 0 else None
