"""What a training strategy is: phases, each with the parameters it trains and its loss."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor, nn

from leco.model import MultiExitModel, MultiExitOutput


@dataclass(frozen=True)
class Phase:
    """A part of a training with its own optimizer and schedule.

    `backbone`, and `exits` (layers counted from 1, None is all), say what it trains; the rest is frozen. The
    checkpoint with the best dev score of `selects` is kept: `avg` over all exits or the `last` exit's.
    """

    name: str = "training"
    backbone: bool = True
    exits: frozenset[int] | None = None
    selects: str = field(default="avg")

    def trains(self, layer: int) -> bool:
        """Whether the exit on `layer`, counted from 1, is trained."""
        return self.exits is None or layer in self.exits

    def freeze(self, model: MultiExitModel) -> None:
        """Let gradients reach what this phase trains and nothing else."""
        model.requires_grad_(False)
        model.backbone.requires_grad_(self.backbone)
        for layer, leave in enumerate(model.exits, start=1):
            leave.requires_grad_(self.trains(layer))


@dataclass(frozen=True)
class Moment:
    """Where a training stands: the phase, and the epoch and step counted from 0."""

    phase: Phase
    epoch: int
    step: int


class Strategy(ABC):
    """How the exits' losses train the parameters. Subclasses are frozen dataclasses; fields are settings."""

    name: ClassVar[str]

    def phases(self, num_layers: int) -> Sequence[Phase]:
        """The phases, in order; each runs for all epochs."""
        return [Phase()]

    @abstractmethod
    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, moment: Moment) -> Tensor:
        """The loss of a batch, a scalar, from the model's output at full depth and the labels [B]."""
