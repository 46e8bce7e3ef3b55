"""Joint training (section 3.1)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class Joint(Strategy):
    """The sum of all exits' losses trains everything: `L = sum_m L_m`, where L_m is exit m's mean loss over the batch.

    Source: LECO, section 3.1, equation 1.

    >>> from leco.training.strategies import Phase
    >>> import torch
    >>> from types import SimpleNamespace
    >>> from leco.problems import Regression
    >>> model = SimpleNamespace(problem=Regression())  # all that the loss asks of a model
    >>> output = MultiExitOutput(logits_by_row=torch.tensor([[[1.0], [2.0]]]))  # a row, two exits: [B, M, K]
    >>> labels = torch.tensor([3.0])  # L_1 = 4 and L_2 = 1, squared errors
    >>> Joint().loss(model, output, labels, TrainingStep(Phase(), epoch=0, step=0))
    tensor(5.)
    """

    name: ClassVar[str] = "joint"

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """`sum_m L_m`, a scalar."""
        return self.exit_losses(model, output, labels).sum()
