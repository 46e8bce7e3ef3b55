"""Training strategies. A new one is one file beside this one and one name in this table."""

from leco.registry import Registry
from leco.training.strategies.base import Moment, Phase, Strategy
from leco.training.strategies.joint import Joint

STRATEGIES: Registry[type[Strategy]] = Registry("training strategy", {strategy.name: strategy for strategy in (Joint,)})

__all__ = ["STRATEGIES", "Joint", "Moment", "Phase", "Strategy"]
