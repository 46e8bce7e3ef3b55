"""Guarantees: what early answers cost at most, of stored outputs and criteria; never of a model, never PyTorch."""

from leco.calibration.certificate import Certificate, percent
from leco.calibration.losses import DISAGREEMENT, LOSSES, Loss
from leco.calibration.monitoring import Watch, first_alarms, log_evidence
from leco.calibration.options import CalibrationOptions, MonitorOptions, VerificationOptions
from leco.calibration.order import ORDER, Order, Step
from leco.calibration.rules import RULES, Rule, bound_of, rows_needed
from leco.calibration.selection import Tried, select
from leco.calibration.verification import Verification, verify_losses

__all__ = [
    "DISAGREEMENT",
    "LOSSES",
    "ORDER",
    "RULES",
    "CalibrationOptions",
    "Certificate",
    "Loss",
    "MonitorOptions",
    "Order",
    "Rule",
    "Step",
    "Tried",
    "Verification",
    "VerificationOptions",
    "Watch",
    "bound_of",
    "first_alarms",
    "log_evidence",
    "percent",
    "rows_needed",
    "select",
    "verify_losses",
]
