"""Selection rules: which setting calibration texts allow. A new one is one file and, here, its name."""

from leco.calibration.rules.base import Rule, bound_of, rows_needed
from leco.calibration.rules.crc import ConformalRiskControl
from leco.calibration.rules.ltt import LearnThenTest
from leco.calibration.rules.naive import Naive
from leco.calibration.rules.ucb import UpperConfidenceBound
from leco.registry import Registry

RULES: Registry[Rule] = Registry(
    "method", {rule.name: rule for rule in (LearnThenTest(), UpperConfidenceBound(), ConformalRiskControl(), Naive())}
)
"""The selection rules by the names that the setting `method` takes."""

__all__ = ["RULES", "Rule", "bound_of", "rows_needed"]
