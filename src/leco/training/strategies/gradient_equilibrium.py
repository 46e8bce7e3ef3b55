"""Gradient equilibrium (Li et al. 2019)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.training.strategies.base import Strategy, TrainingStep


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """`x` itself, of any shape, whose gradient is `factor` times what comes back.

    >>> import torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> scale_gradient(x, 0.25).sum().backward()
    >>> x.grad
    tensor([0.2500, 0.2500])
    """
    return factor * x + (1 - factor) * x.detach()


@dataclass(frozen=True)
class GradientEquilibrium(Strategy):
    """Joint training in which no layer's gradient grows with the number of exits behind it.

    The loss is `sum_m L_m`. The gradient of exit m into the hidden state [B, L, d] of its layer is scaled by
    `1 / (M - m + 1)`, that of all deeper exits by `(M - m) / (M - m + 1)`, with m from 1 to M; values are unchanged.

    Source: Li et al. 2019 (Improved Techniques for Training Adaptive Deep Networks), section 3.2.

    >>> import torch
    >>> model = lambda hidden, fork: fork(1, hidden)  # what exit 1 gets of its layer's state, and what layer 2 gets
    >>> hidden = torch.tensor(1.0, requires_grad=True)
    >>> own, deeper = GradientEquilibrium().forward(model, {"hidden": hidden}, num_exits=4)
    >>> [float(torch.autograd.grad(one, hidden)[0]) for one in (own, deeper)]
    [0.25, 0.75]
    """

    name: ClassVar[str] = "gradient-equilibrium"

    def forward(self, model: nn.Module, inputs: Mapping[str, Tensor], num_exits: int) -> MultiExitOutput:
        """The model's output of a batch [B, L], with the gradients scaled where the way forks at each exit."""

        def fork(number: int, hidden: Tensor) -> tuple[Tensor, Tensor]:
            below = num_exits - number
            return scale_gradient(hidden, 1 / (below + 1)), scale_gradient(hidden, below / (below + 1))

        return model(**inputs, fork=fork)

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The joint loss `sum_m L_m`, a scalar."""
        return self.exit_losses(model, output, labels).sum()
