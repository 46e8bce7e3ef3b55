"""Guarantees: what early answers cost at most, of stored outputs and criteria; never of a model, never PyTorch."""

from leco.calibration.certificate import Certificate, percent
from leco.calibration.losses import LOSSES, Loss
from leco.calibration.options import CalibrationOptions, VerificationOptions
from leco.calibration.order import ORDER, Order, Step
from leco.calibration.rules import RULES, Rule, bound_of, rows_needed
from leco.calibration.selection import Tried, select
from leco.calibration.verification import Verification, verify_losses

__all__ = [
    "LOSSES",
    "ORDER",
    "RULES",
    "CalibrationOptions",
    "Certificate",
    "Loss",
    "Order",
    "Rule",
    "Step",
    "Tried",
    "Verification",
    "VerificationOptions",
    "bound_of",
    "percent",
    "rows_needed",
    "select",
    "verify_losses",
]
