"""Training strategies. A new one is one file beside this one and one name in this table."""

from leco.registry import Registry, build_variant, parse_variant
from leco.training.strategies.alternating import Alternating
from leco.training.strategies.base import Moment, Phase, Strategy
from leco.training.strategies.gaml import Gaml
from leco.training.strategies.gradient_equilibrium import GradientEquilibrium
from leco.training.strategies.joint import Joint
from leco.training.strategies.self_distillation import SelfDistillation
from leco.training.strategies.two_stage import TwoStage
from leco.training.strategies.weighted_joint import WeightedJoint

STRATEGIES: Registry[type[Strategy]] = Registry(
    "training strategy",
    {
        strategy.name: strategy
        for strategy in (Joint, WeightedJoint, TwoStage, Alternating, SelfDistillation, GradientEquilibrium, Gaml)
    },
)


def parse_strategy(text: str) -> Strategy:
    """A strategy written as `NAME` or `NAME:SETTING=VALUE,...`; LecoError for an unknown one."""
    name, settings = parse_variant(text, example="alternating:per_step=true")
    return build_variant(STRATEGIES, name, settings)


__all__ = ["STRATEGIES", "Moment", "Phase", "Strategy", "parse_strategy"]
