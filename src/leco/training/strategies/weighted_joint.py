"""Joint training with weights that grow with depth (PABEE)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class WeightedJoint(Strategy):
    """The mean of the exits' losses L_m, each weighed by its number m from 1 to M: `sum_m m L_m / sum_m m`.

    Source: PABEE (Zhou et al. 2020, 2006.04152), equation 5.

    >>> from leco.training.strategies import Phase
    >>> import torch
    >>> from types import SimpleNamespace
    >>> from leco.problems import Regression
    >>> model = SimpleNamespace(problem=Regression())  # all that the loss asks of a model
    >>> output = MultiExitOutput(logits_by_row=torch.tensor([[[1.0], [2.0]]]))  # a row, two exits: [B, M, K]
    >>> labels = torch.tensor([3.0])  # L_1 = 4 and L_2 = 1, squared errors
    >>> WeightedJoint().loss(model, output, labels, TrainingStep(Phase(), epoch=0, step=0))  # (4 + 2 * 1) / 3
    tensor(2.)
    """

    name: ClassVar[str] = "weighted-joint"

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The weighted mean over the exits, a scalar."""
        losses = self.exit_losses(model, output, labels)
        layers = torch.arange(1, len(losses) + 1, device=losses.device)
        return (layers * losses).sum() / layers.sum()
