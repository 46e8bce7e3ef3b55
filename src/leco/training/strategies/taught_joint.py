"""Joint training in which every exit is also taught by the last one, or by all together."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput, divergence
from leco.options import option
from leco.training.strategies.base import Strategy, TrainingStep

LAST, MEAN = "last", "mean"


@dataclass(frozen=True)
class TaughtJoint(Strategy):
    """The joint loss, and what each exit says against what a teacher says, while that is trained too.

    `sum_m (L_m + weight D(t, p_m))`, where D is the divergence `KL(t || p_m)`, for a regression the squared difference
    of the values. The teacher t is the `last` exit or the `mean` of all, of their logits (a geometric mean of what they
    say); it is a constant in the gradient. Unlike in self-distillation all is trained at once, and by labels as well.

    Source: no one paper's; the last exit as a teacher in joint training is Be Your Own Teacher's (Zhang et al. 2019).

    >>> from leco.training.strategies import Phase
    >>> import torch
    >>> from types import SimpleNamespace
    >>> from leco.problems import Regression
    >>> model = SimpleNamespace(problem=Regression())  # all that the loss asks of a model
    >>> output = MultiExitOutput(logits_by_row=torch.tensor([[[1.0], [2.0]]]))  # a row, two exits: [B, M, K]
    >>> labels = torch.tensor([3.0])  # L_1 = 4 and L_2 = 1, squared errors
    >>> TaughtJoint(weight=0.5).loss(model, output, labels, TrainingStep(Phase(), epoch=0, step=0))  # 5 + 0.5 (1 - 2)^2
    tensor(5.5000)
    """

    name: ClassVar[str] = "taught-joint"

    weight: float = option(1.0, "Weight of what the teacher says beside the labels.", minimum=0)
    teacher: str = option(LAST, "Who teaches: the last exit, or the mean of all.", choices=(LAST, MEAN))

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The sum over the exits, a scalar."""
        exits = output.exit_logits
        teacher = (exits[-1] if self.teacher == LAST else exits.mean(0)).detach()
        taught = torch.stack([divergence(teacher, student, self.problem(model)) for student in exits]).sum()
        return self.exit_losses(model, output, labels).sum() + self.weight * taught
