"""Two-stage training (section 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitOutput
from leco.options import option
from leco.training.strategies.base import Phase, Strategy, TrainingStep, last_exit_first


@dataclass(frozen=True)
class TwoStage(Strategy):
    """First the backbone and the last exit, then the other exits with all that frozen.

    Stage 1: `L_M`; stage 2: `sum_{m<M} L_m`, where L_m is exit m's mean loss over the batch. Each stage runs for all
    epochs. Without the `second`, it is the fine-tuning of a plain classifier, whose exits below the last stay as they
    began.

    Source: DeeBERT (Xin et al. 2020, 2004.12993); LECO, section 3.1, equations 2 and 3.

    >>> [(phase.backbone, sorted(phase.exits)) for phase in TwoStage().phases(num_exits=3)]
    [(True, [3]), (False, [1, 2])]
    """

    name: ClassVar[str] = "two-stage"

    second: bool = option(True, "Whether there is a second stage.")

    @property
    def fewest_exits(self) -> int:
        """One for each stage."""
        return 2 if self.second else 1

    def phases(self, num_exits: int) -> Sequence[Phase]:
        """Backbone and last exit; then the exits below it."""
        first, second = last_exit_first(num_exits)
        return [first, second] if self.second else [first]

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The sum of the losses of the exits that this stage trains, a scalar."""
        losses = self.exit_losses(model, output, labels)
        return losses[[number - 1 for number in range(1, len(losses) + 1) if current.phase.trains(number)]].sum()
