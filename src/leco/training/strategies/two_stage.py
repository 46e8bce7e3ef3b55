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
    """First the backbone and the last exit, then the other exits with all that frozen (LECO, eq. 2-3; DeeBERT).

    Stage 1: `L_M`; stage 2: `sum_{m<M} L_m`. Each stage runs for all epochs. Without the second, it is the fine-tuning
    of a plain classifier, whose exits below the last stay as they began.
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
        """The losses of the exits that this stage trains."""
        losses = self.exit_losses(model, output, labels)
        return losses[[number - 1 for number in range(1, len(losses) + 1) if current.phase.trains(number)]].sum()
