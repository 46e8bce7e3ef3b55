"""Gradient equilibrium (Li et al. 2019)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.training.strategies.base import Strategy, TrainingStep


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """`x` itself, whose gradient is `factor` times what comes back."""
    return factor * x + (1 - factor) * x.detach()


@dataclass(frozen=True)
class GradientEquilibrium(Strategy):
    """Joint training in which no layer's gradient grows with the number of exits behind it.

    The gradient of exit m into the hidden state is scaled by `1 / (M - m + 1)`, that of all deeper exits by
    `(M - m) / (M - m + 1)`, with m from 1; values are unchanged (Li et al. 2019, section 3.2).
    """

    name: ClassVar[str] = "gradient-equilibrium"

    def forward(self, model: nn.Module, inputs: Mapping[str, Tensor], num_exits: int) -> MultiExitOutput:
        """The model's output, with the gradients scaled where the way forks."""

        def fork(number: int, hidden: Tensor) -> tuple[Tensor, Tensor]:
            below = num_exits - number
            return scale_gradient(hidden, 1 / (below + 1)), scale_gradient(hidden, below / (below + 1))

        return model(**inputs, fork=fork)

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The joint loss (eq. 1)."""
        return self.exit_losses(model, output, labels).sum()
