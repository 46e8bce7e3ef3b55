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
    """First the backbone and the last exit, then the others learn what the last one says (Liu et al. 2020, 2004.02178).

    Stage 1: `L_M`; stage 2, all that frozen: `sum_{m<M} KL(p_M || p_m)`, which looks at no label. For a regression the
    divergence is the squared difference.
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
        """The last exit's loss, then the divergence of the others from it."""
        if current.phase.backbone:
            return self.exit_losses(model, output, labels)[-1]
        teacher = output.exit_logits[-1].detach()
        students = output.exit_logits[:-1]
        return torch.stack([divergence(teacher, student, self.problem(model)) for student in students]).sum()
