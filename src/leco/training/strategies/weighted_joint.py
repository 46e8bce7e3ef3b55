"""Joint training with weights that grow with depth (PABEE)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class WeightedJoint(Strategy):
    """The mean of the exits' losses, each weighed by its layer: `sum_m m L_m / sum_m m` (Zhou et al. 2020, eq. 5)."""

    name: ClassVar[str] = "weighted-joint"

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The weighted mean over the exits."""
        losses = self.exit_losses(model, output, labels)
        layers = torch.arange(1, len(losses) + 1, device=losses.device)
        return (layers * losses).sum() / layers.sum()
