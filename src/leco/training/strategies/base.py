"""What a training strategy is: phases, each with the parameters it trains and its loss."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from leco.exits.architecture import ExitArchitecture
from leco.model import MultiExitModel, MultiExitOutput, doubt_loss, exit_losses
from leco.options import validate
from leco.problems import Problem


@dataclass(frozen=True)
class Phase:
    """A part of a training with its own optimizer and schedule.

    `backbone`, and `exits` (counted from 1, None is all), say what it trains; the rest is frozen. The
    checkpoint with the best dev score of `selects` is kept: `avg` over all exits or the `last` exit's. `name` is shown
    and logged.

    >>> Phase("second-stage", backbone=False, exits=frozenset({1, 2})).trains(3)
    False
    """

    name: str = "training"
    backbone: bool = True
    exits: frozenset[int] | None = None
    selects: str = "avg"

    def trains(self, number: int) -> bool:
        """Whether exit `number`, counted from 1, is trained."""
        return self.exits is None or number in self.exits

    def freeze(self, model: MultiExitModel) -> None:
        """Let gradients reach what this phase trains and nothing else."""
        model.requires_grad_(False)
        model.meta.requires_grad_(True)  # learns in every phase, and nothing else learns from it
        model.backbone.requires_grad_(self.backbone)
        for number, exit_ in enumerate(model.exits, start=1):
            exit_.requires_grad_(self.trains(number))


@dataclass(frozen=True)
class TrainingStep:
    """Where a training stands: the `phase`, its `epoch` and `step` from 0, and the share of it done, `progress`."""

    phase: Phase
    epoch: int
    step: int
    progress: float = 1.0


def last_exit_first(num_exits: int) -> list[Phase]:
    """Two phases: backbone and last exit, then with these frozen the exits below it."""
    return [
        Phase("first-stage", exits=frozenset({num_exits}), selects="last"),
        Phase("second-stage", backbone=False, exits=frozenset(range(1, num_exits))),
    ]


@dataclass(frozen=True)
class Strategy(ABC):
    """How the exits' losses train the parameters. Subclasses are frozen dataclasses; fields are settings.

    In their equations `L_m` is the mean loss of exit m over a batch, m from 1 to M, and `p_m` is what the exit says.
    `model` is the multi-exit model, or what accelerate has wrapped around it. `exits` are those that the strategy
    brings, for all; None is any but those that another one brings. Raises LecoError for a setting that is not allowed.
    """

    name: ClassVar[str]
    exits: ClassVar[ExitArchitecture | None] = None

    def __post_init__(self) -> None:
        validate(self)

    @property
    def fewest_exits(self) -> int:
        """How many exits a model needs for it."""
        return 1

    def phases(self, num_exits: int) -> Sequence[Phase]:
        """The phases, in order; each runs for all epochs."""
        return [Phase()]

    def forward(self, model: nn.Module, inputs: Mapping[str, Tensor], num_exits: int) -> MultiExitOutput:
        """The output of all exits for a training batch; `inputs` are the model's [B, L], with the labels [B]."""
        return model(**inputs)

    @abstractmethod
    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The loss of a training batch, a scalar, from the output of all exits and the labels [B]."""

    @staticmethod
    def unwrap(model: nn.Module) -> MultiExitModel:
        """The multi-exit model itself."""
        unwrapped: Any = getattr(model, "module", model)
        return unwrapped

    @classmethod
    def problem(cls, model: nn.Module) -> Problem:
        """The kind of problem, with the statistics of the labels."""
        return cls.unwrap(model).problem

    def doubt_loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor) -> Tensor:
        """The loss of the meta-classifier, a scalar, from which nothing else learns."""
        assert output.logits_by_row is not None
        assert output.doubts_by_row is not None
        return doubt_loss(output.doubts_by_row, output.logits_by_row, labels, self.problem(model))

    def exit_losses(self, model: nn.Module, output: MultiExitOutput, labels: Tensor) -> Tensor:
        """`L_m` of each exit [M]."""
        assert output.logits_by_row is not None
        return exit_losses(output.logits_by_row, labels, self.problem(model))
