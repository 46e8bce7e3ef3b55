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
    """A setting, what the calibration texts lose by it, [N], and where they leave, [N]."""

    criterion: Criterion
    losses: Array
    exit_layers: Array


Try = Callable[[Criterion], Tried]
"""What tries a setting on the calibration texts."""


def select(
    rule: Rule, chains: Mapping[str, Sequence[Criterion]], attempt: Try, bound: float, delta: float
) -> Tried | None:
    """Of the settings that are allowed in each of the orders, each with its share of the risk, that with the earliest
    exits; None where none is allowed.
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
