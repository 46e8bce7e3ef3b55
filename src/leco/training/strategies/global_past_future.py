"""Global Past-Future (Liao et al. 2021)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leco.exits.architecture import PAST_FUTURE, ExitArchitecture
from leco.exits.past_future import PastFutureExits
from leco.model import MultiExitOutput
from leco.training.strategies.base import TrainingStep
from leco.training.strategies.weighted_joint import WeightedJoint


@dataclass(frozen=True)
class GlobalPastFuture(WeightedJoint):
    """Exits that imagine the [CLS] states to come, and learn to by imitating the real ones.

    `1/2 (sum_m m L_m / sum_m m + 1/(M-1) sum_{m<M} I_m)`, where `I_m` is the mean over the layers j > m, and over the
    rows, of `1 - cos(chat_j, c_j)`: the state that exit m imagines, against the real one. The real one is a constant,
    as in the authors' code, so that no layer comes to be what is easily imagined. L_m is exit m's mean loss, `c_j` and
    `chat_j` are [B, d]. What the exits say, `logits_m` [B, K], is in `leco.exits.past_future.PastFutureExits`.

    Source: Liao et al. 2021 (A Global Past-Future Early Exit Method for Accelerating Inference), section 3.

    >>> GlobalPastFuture().exits.kind, GlobalPastFuture().fewest_exits
    ('past-future', 2)
    """

    name: ClassVar[str] = "global-past-future"
    exits: ClassVar[ExitArchitecture | None] = PAST_FUTURE

    @property
    def fewest_exits(self) -> int:
        """One that imagines, and one to be imagined."""
        return 2

    def forward(self, model: nn.Module, inputs: Mapping[str, Tensor], num_exits: int) -> MultiExitOutput:
        """The model's output with the [CLS] states."""
        return model(**inputs, output_cls_states=True)

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """Half of the weighted mean of the exits' losses, half of the imitation's; a scalar."""
        return (super().loss(model, output, labels, current) + self.imitation_loss(model, output)) / 2

    def imitation_loss(self, model: nn.Module, output: MultiExitOutput) -> Tensor:
        """The mean of `I_m` over the exits but the last, which has nothing to imagine; a scalar."""
        assert output.cls_by_row is not None
        exits, states = cast(PastFutureExits, self.unwrap(model).exits), output.cls_by_row.unbind(1)
        as_read = [exits.state(layer, state.detach()) for layer, state in enumerate(states, start=1)]
        means = []
        for layer, state in enumerate(states[:-1], start=1):
            imagined = torch.stack(exits.imagine(layer, state))  # [M-m, B, d]
            real = torch.stack(as_read[layer:])
            means.append(1 - F.cosine_similarity(imagined, real, dim=-1).mean())
        return torch.stack(means).mean()
