"""What exits read, standardized: `(h - mean) / std` by channel, with fixed statistics of each layer's hidden states.

The scale of a hidden state differs by orders of magnitude from channel to channel and from layer to layer. An exit
that is trained for a few epochs at one rate cannot make up for that; one that reads standardized states need not. An
affine map in front of a linear layer is that layer with other weights, so that a trained exit is saved without it.

Shapes: M layers, B batch, L tokens, d hidden.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

LEAST_STD = 0.01
"""A channel's least standard deviation, as a share of its layer's (the root of the mean variance of the channels): what
hardly varies in the sample says little, and must not drown the rest in a text in which it does vary."""
LEAST_SPREAD = 2**-5
"""And as a share of its mean: what varies less is near what bfloat16 can hold, and folded weights in float32 would lose
digits to it (in the [CLS] state of low layers some channels vary by a millionth of their mean)."""


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation [M, d] of each channel of each layer's hidden states, in float32 and all finite."""

    mean: Tensor
    std: Tensor


class Moments:
    """Collects hidden states, sample by sample, for their statistics."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, states: Tensor) -> None:
        """Count in n states of every layer, [M, n, d]."""
        values = states.detach().double()
        if self.count == 0:
            self.shift = values.mean(1)  # near the mean, so that sums of squares around it lose no digits
            self.total, self.squares = torch.zeros_like(self.shift), torch.zeros_like(self.shift)
        centered = values - self.shift.unsqueeze(1)
        self.total += centered.sum(1)
        self.squares += centered.square().sum(1)
        self.count += values.size(1)

    def statistics(self) -> Statistics:
        """The statistics of all states so far, of which there must be some."""
        mean = self.total / self.count
        variance = (self.squares / self.count - mean.square()).clamp_min(0)
        std = variance.sqrt()
        std = std.maximum(LEAST_STD * variance.mean(1, keepdim=True).sqrt())
        mean = mean + self.shift
        std = std.maximum(LEAST_SPREAD * mean.abs())
        std = torch.where(std > 0, std, 1.0)  # a channel that is always zero, in a layer that never varies
        return Statistics(mean.float(), std.float())


@dataclass(frozen=True)
class StateStatistics:
    """The statistics of what exits read: of all `tokens` but padding, and of the `first_tokens` ([CLS]) alone."""

    tokens: Statistics
    first_tokens: Statistics


class Standardize(nn.Module):
    """`(h - mean) / std` by channel: of hidden states [.., d], with `mean` and `std` that broadcast against them.

    >>> standardize = Standardize(torch.tensor([1.0, 0.0]), torch.tensor([2.0, 0.5]))
    >>> standardize(torch.tensor([[3.0, 1.0]]))
    tensor([[1., 2.]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, hidden: Tensor) -> Tensor:
        """The standardized states, in the statistics' dtype."""
        return (hidden.to(self.mean.dtype) - self.mean) / self.std

    @torch.no_grad()
    def fold_into(self, linear: nn.Linear) -> None:
        """Give `linear`, which reads the standardized states, the weights with which it reads the states themselves."""
        weight = linear.weight.double() / self.std.double()  # [o, d]
        linear.bias.copy_(linear.bias.double() - weight @ self.mean.double())
        linear.weight.copy_(weight)

    @torch.no_grad()
    def unfold_from(self, linear: nn.Linear) -> None:
        """Give `linear`, which reads the states themselves, the weights with which it reads the standardized states."""
        weight = linear.weight.double()
        linear.bias.copy_(linear.bias.double() + weight @ self.mean.double())
        linear.weight.copy_(weight * self.std.double())
