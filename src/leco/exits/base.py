"""What the exits of a model are: one classifier for each layer, and what they tell each other."""

from torch import Tensor, nn


class Exit(nn.Module):
    """An intermediate classifier on one layer of the backbone."""

    def forward(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of `hidden` [B, L, d]; `mask` [B, L] is true at tokens, None where there is no padding."""
        raise NotImplementedError


class Exits(nn.ModuleList):
    """The exits of all layers, the first layer's first; layers are counted from 1.

    Here each exit looks at its own layer alone. Exits that look at what came before say in `remember` what they keep
    of it: a memory [B, ..], whose rows leave the batch with the texts'.
    """

    def remember(self, layer: int, hidden: Tensor, memory: Tensor | None) -> Tensor | None:
        """The memory after `layer`, whose hidden state is `hidden` [B, L, d], from that of the layer before."""
        return None

    def leave(self, layer: int, hidden: Tensor, mask: Tensor | None, memory: Tensor | None) -> Tensor:
        """The logits [B, K] of the exit on `layer`, given the memory after it; the rest as in `Exit.forward`."""
        logits: Tensor = self[layer - 1](hidden, mask)
        return logits
