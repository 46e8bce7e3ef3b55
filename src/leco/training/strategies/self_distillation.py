"""Self-distillation (FastBERT)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput, divergence
from leco.training.strategies.base import Phase, Strategy, TrainingStep, last_exit_first


@dataclass(frozen=True)
class SelfDistillation(Strategy):
    """First the backbone and the last exit, then the others learn what the last one says.

    Stage 1: `L_M`; stage 2, all that frozen: `sum_{m<M} KL(p_M || p_m)` in nats, a mean over the batch, which looks at
    no label. For a regression the divergence is the squared difference.

    Source: FastBERT (Liu et al. 2020, 2004.02178).

    >>> from types import SimpleNamespace
    >>> from leco.problems import SingleLabel
    >>> model = SimpleNamespace(problem=SingleLabel())  # all that the loss asks of a model
    >>> output = MultiExitOutput(logits_by_row=torch.tensor([[[0.0, 0.0], [2.0, 0.0]]]))  # a row, two exits: [B, M, K]
    >>> first, second = SelfDistillation().phases(num_exits=2)
    >>> SelfDistillation().loss(model, output, torch.tensor([0]), TrainingStep(second, epoch=0, step=0))
    tensor(0.3278)
    """

    name: ClassVar[str] = "self-distillation"

    @property
    def fewest_exits(self) -> int:
        """A teacher and a student."""
        return 2

    def phases(self, num_exits: int) -> Sequence[Phase]:
        """Backbone and last exit; then the exits below it."""
        return last_exit_first(num_exits)

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The last exit's loss, then the sum of the others' divergences from it; a scalar."""
        if current.phase.backbone:
            return self.exit_losses(model, output, labels)[-1]
        teacher = output.exit_logits[-1].detach()
        students = output.exit_logits[:-1]
        return torch.stack([divergence(teacher, student, self.problem(model)) for student in students]).sum()
