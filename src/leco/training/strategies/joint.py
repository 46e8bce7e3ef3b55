"""Joint training (section 3.1)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class Joint(Strategy):
    """The sum of all exits' losses trains everything: `L = sum_m L_m` (LECO, eq. 1)."""

    name: ClassVar[str] = "joint"

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """Equation 1."""
        return self.exit_losses(model, output, labels).sum()
