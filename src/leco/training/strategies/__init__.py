"""Training strategies. A new one is one file beside this one and one name in this table."""

import warnings
from collections.abc import Iterable
from typing import Any

from leco.errors import LecoError
from leco.exits.architecture import ExitArchitecture
from leco.registry import Registry, build_variant, parse_variant
from leco.training.strategies.alternating import Alternating
from leco.training.strategies.base import Phase, Strategy, TrainingStep
from leco.training.strategies.consistentee import ConsistentEE
from leco.training.strategies.cosee import Cosee
from leco.training.strategies.gaml import Gaml
from leco.training.strategies.global_past_future import GlobalPastFuture
from leco.training.strategies.gradient_equilibrium import GradientEquilibrium
from leco.training.strategies.joint import Joint
from leco.training.strategies.self_distillation import SelfDistillation
from leco.training.strategies.taught_joint import TaughtJoint
from leco.training.strategies.two_stage import TwoStage
from leco.training.strategies.weighted_joint import WeightedJoint

STRATEGIES: Registry[type[Strategy]] = Registry(
    "training strategy",
    {
        strategy.name: strategy
        for strategy in (
            Joint,
            WeightedJoint,
            TwoStage,
            Alternating,
            SelfDistillation,
            GradientEquilibrium,
            GlobalPastFuture,
            Gaml,
            Cosee,
            ConsistentEE,
            TaughtJoint,
        )
    },
)
"""The strategies by the names that the setting `strategy` takes."""


def parse_strategy(text: str) -> Strategy:
    """The strategy that `text` names, `NAME` or `NAME:SETTING=VALUE,...`; LecoError for an unknown one.

    >>> parse_strategy("alternating:per_step=true")
    Alternating(per_step=True)
    """
    name, settings = parse_variant(text, example="alternating:per_step=true")
    return build_variant(STRATEGIES, name, settings)


def check_exits(strategy: Strategy, architectures: Iterable[ExitArchitecture | None]) -> None:
    """Raise LecoError where a strategy that brings exits meets others, or such exits another strategy.

    Of the `architectures` of all exits, None is one that is still to be searched.

    >>> from leco.exits.architecture import LINEAR
    >>> check_exits(Joint(), [LINEAR, None])
    >>> check_exits(GlobalPastFuture(), [LINEAR])
    Traceback (most recent call last):
    leco.errors.LecoError: The training strategy 'global-past-future' brings exits of its own. Give no others.
    """
    brought = {one.exits.kind: one.name for one in STRATEGIES.values() if one.exits is not None}
    own = None if strategy.exits is None else strategy.name
    for architecture in architectures:
        owner = None if architecture is None else brought.get(architecture.kind)
        if owner == own:
            continue
        if own is not None:
            raise LecoError(f"The training strategy '{own}' brings exits of its own. Give no others.")
        raise LecoError(f"The training strategy '{strategy.name}' cannot train exits that '{owner}' brings.")


def check_number(strategy: Strategy, num_exits: int) -> None:
    """Raise LecoError where `num_exits` are fewer than a strategy needs, which may be about several."""
    if num_exits < strategy.fewest_exits:
        raise LecoError(
            f"The training strategy '{strategy.name}' needs {strategy.fewest_exits} exits or more, but there is "
            f"{num_exits}. Choose another one, such as '{Joint.name}'."
        )


__all__ = ["STRATEGIES", "Phase", "Strategy", "TrainingStep", "check_exits", "check_number", "parse_strategy"]
__all__ += [strategy.__name__ for strategy in STRATEGIES.values()]


def __getattr__(name: str) -> Any:
    if name != "Moment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = "leco.training.strategies.Moment is now TrainingStep; the old name will go."
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return TrainingStep
