"""GAML: mutual learning of the exits with aligned gradients (Zhu et al. 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput, divergence
from leco.options import option
from leco.problems import Problem
from leco.processes import means, weight_of
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class Gaml(Strategy):
    """Joint training plus mutual distillation, whose gradient may not work against the cross-entropy's.

    Each exit also learns from what the exits beside it say:
    `KD = weight * sum_m (KL(p_{m+1} || p_m) + KL(p_m || p_{m+1}))`, the first of each pair as a fixed teacher. On the
    shared parameters (the backbone), where the gradients of KD and CE have a negative product, the component of the
    one along the other is removed: `g_KD - (g_KD . g_CE / |g_CE|^2) g_CE`, over all of them as one vector.

    This is our reading of the summary of GAML-BERT, not held against the authors' code.

    Source: GAML-BERT (Zhu et al. 2021).

    >>> task, mutual = [torch.tensor([1.0, 0.0])], [torch.tensor([-2.0, 3.0])]  # gradients g_CE and g_KD
    >>> align(mutual, task, shared=[True])
    [tensor([0., 3.])]
    """

    name: ClassVar[str] = "gaml"

    weight: float = option(1.0, "Weight of the mutual distillation.", minimum=0)

    @property
    def fewest_exits(self) -> int:
        """Two that learn from each other."""
        return 2

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """A loss, a scalar, with the value `CE + KD` and the aligned gradient."""
        cross_entropy = self.exit_losses(model, output, labels).sum()
        mutual = self.weight * self._mutual(output, self.problem(model))
        if not model.training:
            return cross_entropy + mutual
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        shared = ["backbone." in name for name, _ in named]
        parameters = [parameter for _, parameter in named]
        weight = weight_of(labels)  # of several processes all align the gradients of the whole batch
        task, other = (
            means(torch.autograd.grad(weight * one, parameters, retain_graph=True, materialize_grads=True))
            for one in (cross_entropy, mutual)
        )
        other_aligned = align(other, task, shared)
        combined = torch.stack(
            [(parameter * (t + o)).sum() for parameter, t, o in zip(parameters, task, other_aligned, strict=True)]
        ).sum()
        return (cross_entropy + mutual).detach() + combined - combined.detach()

    def _mutual(self, output: MultiExitOutput, problem: Problem) -> Tensor:
        exits = output.exit_logits
        pairs = [
            divergence(deeper.detach(), shallower, problem) + divergence(shallower.detach(), deeper, problem)
            for shallower, deeper in pairwise(exits)
        ]
        return torch.stack(pairs).sum()


def align(gradients: Sequence[Tensor], task: Sequence[Tensor], shared: Sequence[bool]) -> list[Tensor]:
    """`gradients` without their component along `task` where the two have a negative product.

    There is one of each for each parameter, of its shape; those that are `shared` count as one vector, and the others
    stay as they are.
    """
    product = sum(float((g * t).sum()) for g, t, is_shared in zip(gradients, task, shared, strict=True) if is_shared)
    if product >= 0:
        return list(gradients)
    square = sum(float(t.square().sum()) for t, is_shared in zip(task, shared, strict=True) if is_shared)
    return [
        g - (product / square) * t if is_shared else g for g, t, is_shared in zip(gradients, task, shared, strict=True)
    ]
