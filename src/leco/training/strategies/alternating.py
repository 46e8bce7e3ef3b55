"""Alternating training (section 3.1, BERxiT)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.options import option
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class Alternating(Strategy):
    """The last exit's loss in odd epochs, the joint sum in even ones (LECO, eq. 4-5; Xin et al. 2021).

    Epochs are counted from 1. BERxiT's own code alternates from step to step; `per_step` does so too.
    """

    name: ClassVar[str] = "alternating"

    per_step: bool = option(False, "Alternate from step to step in place of epoch to epoch.")

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """`L_M` in odd epochs (or steps), `sum_m L_m` in even ones."""
        losses = self.exit_losses(model, output, labels)
        odd = (current.step if self.per_step else current.epoch) % 2 == 0
        return losses[-1] if odd else losses.sum()
