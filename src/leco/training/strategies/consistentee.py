"""ConsistentEE: a policy learns where each text leaves, and the exit there learns the text (AAAI 2024)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from leco.model import MultiExitOutput, row_losses
from leco.options import option
from leco.training.strategies.base import Strategy, TrainingStep


@dataclass(frozen=True)
class ConsistentEE(Strategy):
    """Each text is taught to the exit at which it leaves by a policy, so that one right exit suffices.

    The meta-classifier is the policy: a text that has come to layer m stays with probability `u_m`, its doubt, so that
    it leaves there with probability `q_m = (1 - u_m) prod_{j<m} u_j`, at the last layer with what remains. The exits
    learn `sum_m w_m L_m`, where w goes, step by step, from the mean of all exits to q, which is constant here. The
    policy learns to make `sum_m q_m (L_m + cost (1 - h) m / M)` small, where m counts layers, of which the model has M,
    the L_m are constant and `h`, how hard the text is, is the share of the exits that are wrong (of a regression the
    mean of `tanh` of their errors): hard texts may take their time. On the embeddings `u` is 1: all texts stay.
    The criterion that leaves by this policy is `lte:tau=0.5`.

    This is our reading of the paper's abstract. The authors' code trains all exits first, draws where a text leaves,
    has a policy of two layers on each exit, and takes for h the layer from which on all exits are right; ours is the
    expectation of all draws, in one training.

    Source: ConsistentEE (Zeng et al., AAAI 2024).

    >>> leaving(torch.tensor([[0.5, 0.2, 0.9]]))  # q of a text, by its doubts u_m: [B, M]
    tensor([[0.5000, 0.4000, 0.1000]])
    """

    name: ClassVar[str] = "consistentee"

    cost: float = option(0.5, "What running all layers costs a text that no exit gets wrong.", minimum=0)

    def loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor, current: TrainingStep) -> Tensor:
        """The sum of the exits' losses, each text's weighed by where it leaves; a mean over the texts, a scalar."""
        logits, doubts = output.logits_by_row, output.doubts_by_row
        assert logits is not None
        assert doubts is not None
        losses = row_losses(logits, labels, self.problem(model))
        mean, left = torch.full_like(losses, 1 / losses.shape[1]), leaving(doubts.detach().to(losses.dtype))
        weights = torch.lerp(mean, left, current.progress)
        return (weights * losses).sum(1).mean()

    def doubt_loss(self, model: nn.Module, output: MultiExitOutput, labels: Tensor) -> Tensor:
        """What leaving by the policy is expected to cost, a scalar, from which nothing else learns."""
        logits, doubts, problem = output.logits_by_row, output.doubts_by_row, self.problem(model)
        assert logits is not None
        assert doubts is not None
        logits = logits.detach()
        task = self.unwrap(model).task
        depth = torch.tensor(task.exit_layers, device=logits.device) / task.num_layers
        losses = row_losses(logits, labels, problem)
        hard = problem.wrongness(logits, labels).to(losses.dtype).mean(1, keepdim=True)
        costs = losses + self.cost * (1 - hard) * depth
        return (leaving(doubts.to(losses.dtype)) * costs).sum(1).mean()


def leaving(doubts: Tensor) -> Tensor:
    """The probabilities [B, M] of leaving at each layer, where `doubts` [B, M] are those of staying there.

    >>> leaving(torch.tensor([[0.5, 0.2, 0.9]]))
    tensor([[0.5000, 0.4000, 0.1000]])
    """
    come = torch.cat([torch.ones_like(doubts[:, :1]), doubts[:, :-1].cumprod(1)], dim=1)
    leave = torch.cat([1 - doubts[:, :-1], torch.ones_like(doubts[:, :1])], dim=1)
    return come * leave
