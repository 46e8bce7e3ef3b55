"""Exits as modules: from a layer's hidden state `[B, L, d]` to logits `[B, K]`."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from leco.errors import LecoError
from leco.exits.architecture import Architecture, ExitArchitecture, PastFutureArchitecture
from leco.exits.base import Exit, Exits
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS, ClsPool
from leco.exits.past_future import PastFutureExits


class LinearExit(Exit):
    """The [CLS] vector and one linear layer."""

    reads_first_token = True

    def __init__(self, hidden_size: int, num_outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, num_outputs)

    @property
    def reader(self) -> nn.Linear:
        """The classifier itself."""
        return self.classifier

    def features(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """The first token's hidden state."""
        return self.standardize(hidden[:, 0].to(self.classifier.weight.dtype))


class CellExit(Exit):
    """The exit of section 4 with one operation on each edge.

    Where the pooler takes the first token alone, only the tokens that reach it are computed.
    """

    def __init__(self, architecture: Architecture, hidden_size: int, num_outputs: int, dropout: float) -> None:
        super().__init__()
        width = architecture.width
        self.down = nn.Linear(hidden_size, width)
        self.activation_1 = ACTIVATIONS[architecture.activation_1]
        names = [name for name in (architecture.encoder_1, architecture.encoder_2) if name != "null"]
        encoders = [ENCODERS[name](width) for name in names]
        self.encoders = nn.ModuleList(encoders)
        self.pooler = POOLERS[architecture.pooler](width)
        self.activation_2 = ACTIVATIONS[architecture.activation_2]
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, num_outputs)

        first_token_only = isinstance(self.pooler, ClsPool)
        reaches = [encoder.reach for encoder in encoders if encoder.reach is not None]
        self.positions = 1 if first_token_only else None
        self.tokens = 1 + max(reaches) if first_token_only and len(reaches) == len(encoders) else None

    @property
    def reader(self) -> nn.Linear:
        """The linear layer from d to the exit's width."""
        return self.down

    def features(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """The pooled vector [B, e], along the edges of Figure 1 up to the last."""
        if self.tokens is not None:
            hidden, mask = hidden[:, : self.tokens], None if mask is None else mask[:, : self.tokens]
        x = self.down(self.standardize(hidden.to(self.down.weight.dtype)))
        x = self.activation_1(x)  # [B, L, e]
        encoded = self.encoders[0](x, mask, self.positions)
        for encoder in self.encoders[1:]:
            encoded = encoded + encoder(x, mask, self.positions)
        return self.activation_2(self.pooler(encoded, mask if self.positions is None else None))


def build_exit(architecture: ExitArchitecture, hidden_size: int, num_outputs: int, dropout: float = 0.0) -> Exit:
    """A fresh exit of the given architecture; `dropout` acts in front of its last linear layer."""
    if isinstance(architecture, Architecture):
        return CellExit(architecture, hidden_size, num_outputs, dropout)
    return LinearExit(hidden_size, num_outputs, dropout)


def embeddings_exit(first: ExitArchitecture) -> ExitArchitecture:
    """The architecture of the exit on the embeddings, by that on layer 1.

    It is the same, but for one that reads the first token alone, whose embedding all texts share: that pools the mean.

    >>> from leco.exits.architecture import Architecture
    >>> print(embeddings_exit(Architecture("relu", "conv_1", "null", "cls", "tanh")))
    relu | conv_1 + null | avg | tanh
    """
    if not isinstance(first, Architecture):
        return first
    with torch.device("meta"):
        alone = CellExit(first, 1, 1, dropout=0.0).tokens == 1
    return replace(first, pooler="avg") if alone else first


def build_exits(
    architectures: Sequence[ExitArchitecture], hidden_size: int, num_outputs: int, dropout: float = 0.0
) -> Exits:
    """Fresh exits, of the given architectures; `dropout` acts in front of their last linear layers.

    Raises LecoError where some are past-future exits, which belong together, and others are not.
    """
    together = [isinstance(architecture, PastFutureArchitecture) for architecture in architectures]
    if not any(together):
        return Exits(build_exit(architecture, hidden_size, num_outputs, dropout) for architecture in architectures)
    if not all(together):
        raise LecoError(
            f"The exit on layer {together.index(False) + 1} is not of kind '{PastFutureArchitecture.kind}', but others "
            "are. These know each other: all layers have one, or none."
        )
    standardized = any(isinstance(one, PastFutureArchitecture) and one.standardized for one in architectures)
    return PastFutureExits(len(architectures), hidden_size, num_outputs, dropout, standardized=standardized)
