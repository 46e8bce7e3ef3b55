"""Alternating training (section 3.1, BERxiT)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.options import option
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class Alternating(Strategy):
    """The last exit's loss `L_M` in odd epochs, the joint sum `sum_m L_m` in even ones; epochs are counted from 1.

    BERxiT's own code alternates from step to step; `per_step` does so too.

    Source: BERxiT (Xin et al. 2021); LECO, section 3.1, equations 4 and 5.

    >>> from leco.training.strategies import Phase
    >>> import torch
    >>> from types import SimpleNamespace
    >>> from leco.problems import Regression
    >>> model = SimpleNamespace(problem=Regression())  # all that the loss asks of a model
    >>> output = MultiExitOutput(logits_by_row=torch.tensor([[[1.0], [2.0]]]))  # a row, two exits: [B, M, K]
    >>> labels = torch.tensor([3.0])  # L_1 = 4 and L_2 = 1, squared errors
    >>> [Alternating().loss(model, output, labels, TrainingStep(Phase(), epoch, step=0)) for epoch in (0, 1)]
    [tensor(1.), tensor(5.)]
    """

    name: ClassVar[str] = "alternating"

    per_step: bool = option(False, "Alternate from step to step in place of epoch to epoch.")

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """`L_M` in odd epochs (or steps), `sum_m L_m` in even ones; a scalar."""
        losses = self.exit_losses(model, output, labels)
        odd = (current.step if self.per_step else current.epoch) % 2 == 0
        return losses[-1] if odd else losses.sum()
