"""COSEE: each text teaches most the exits around the layer where it would leave (AAAI 2025)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput, row_losses, uncertainty
from leco.options import option
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class Cosee(Strategy):
    """The exits' losses of a text, weighed by how near they are to where it would leave; and calibrated signals.

    `sum_m w_m L_m` for each text, with `w = softmax_m(-beta |m - m*|)`. `m*` is the first layer whose signal is below a
    threshold, else the last; w is its mean over `thresholds` of them, spread evenly over 0 to 1. In the training `beta`
    grows from 0 (all exits weigh the same) to its value, step by step. The signal `s_m` is the exit's entropy as a
    share of the largest. Added is `calibration` times the mean over texts and exits of `max(0, s_m - (1 - margin) / 2)`
    where the exit is right and `max(0, (1 + margin) / 2 - s_m)` where it is wrong, so that one threshold fits all.

    For a regression, whose values have no entropy, the signal is the meta-classifier's doubt, which is calibrated by
    its own loss, and nothing is added.

    This is our reading of the paper's abstract. In the authors' code thresholds are random, the signal is the energy of
    the logits, the hinge is on the difference of a batch's means, which ours bounds, and `beta` is 10; in short
    trainings of exits from scratch that left the lower ones untaught.

    Source: COSEE (He et al., AAAI 2025).

    >>> signal = torch.tensor([[0.9, 0.2, 0.1]])  # [B, M]: by most thresholds the text leaves at layer 2
    >>> Cosee(thresholds=1).weights(signal, beta=2.0)
    tensor([[0.1065, 0.7870, 0.1065]])
    """

    name: ClassVar[str] = "cosee"

    beta: float = option(2.0, "How fast the weight of an exit falls, from layer to layer, at the end.", minimum=0)
    thresholds: int = option(5, "Number of thresholds by which leaving is simulated.", minimum=1)
    calibration: float = option(0.1, "Weight of the signals' calibration.", minimum=0)
    margin: float = option(0.3, "Gap between the signals of right and wrong exits, 0 to 1.", minimum=0, maximum=1)

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The weighted sum over the exits, a mean over the texts, and the calibration; a scalar."""
        problem, logits, doubts = self.problem(model), output.logits_by_row, output.doubts_by_row
        assert logits is not None
        assert doubts is not None
        losses = row_losses(logits, labels, problem)
        signal = uncertainty(logits, problem) if problem.has_names else doubts
        weights = self.weights(signal.detach(), self.beta * current.progress)
        weighted = (weights * losses).sum(1).mean()
        if not problem.has_names:
            return weighted
        return weighted + self.calibration * self.miscalibration(signal, problem.wrongness(logits.detach(), labels))

    def weights(self, signal: Tensor, beta: float) -> Tensor:
        """What each exit weighs for each text, [B, M], by the signals [B, M]."""
        layers = torch.arange(signal.shape[1], device=signal.device)
        near = (-beta * (layers - layers.unsqueeze(1)).abs()).softmax(-1)  # [M, M]: by m* and by m
        thresholds = (torch.arange(self.thresholds, device=signal.device) + 0.5) / self.thresholds
        stays = signal[:, :-1].unsqueeze(1) >= thresholds.unsqueeze(1)  # [B, thresholds, M - 1]
        left = stays.long().cumprod(-1).sum(-1)  # [B, thresholds]: how many layers come before m*
        return near[left].mean(1)

    def miscalibration(self, signal: Tensor, wrong: Tensor) -> Tensor:
        """How far the signals [B, M] of right exits are above one half less half the margin, and others below it."""
        low, high = (1 - self.margin) / 2, (1 + self.margin) / 2
        return torch.where(wrong, high - signal, signal - low).relu().mean()
