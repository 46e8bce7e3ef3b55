"""The exits of Global Past-Future, which look at the states before and imagine those to come (Liao et al. 2021)."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from leco.errors import LecoError
from leco.exits.base import Exits
from leco.exits.operations import in_float32
from leco.exits.standardize import Standardize, StateStatistics
from leco.exits.subspace import Subspace


class PastFutureExit(nn.Module):
    """The part of layer j: its projection `W_j`, which all exits share, the imitation `A_j` of its state, its gate.

    `W_j` has `2 K (d + 1)` parameters, `A_j` has `d^2`, but for the first layer, whose state nobody has to imagine, and
    the gate has `K (K + 1)`.
    """

    def __init__(
        self, layer: int, hidden_size: int, num_outputs: int, dropout: float, *, standardized: bool = False
    ) -> None:
        super().__init__()
        self.layer = layer
        self.standardize: nn.Module = nn.Identity()
        if standardized:
            self.standardize = Standardize(torch.zeros(hidden_size), torch.ones(hidden_size))
        self.dropout = nn.Dropout(dropout)
        self.projection = nn.Linear(hidden_size, 2 * num_outputs)
        self.imitation = nn.Linear(hidden_size, hidden_size, bias=False) if layer > 1 else None
        self.gate = nn.Linear(num_outputs, num_outputs)

    def project(self, state: Tensor) -> Tensor:
        """`W_j c_j` [B, 2K] of the [CLS] state `c_j` [B, d], a real or an imagined one."""
        return self.projection(self.dropout(state))

    def imagine(self, state: Tensor) -> Tensor:
        """`tanh(A_j c_m)` [B, d], this layer's [CLS] state as it is imagined from that of a layer m before, [B, d]."""
        assert self.imitation is not None
        return self.imitation(state).tanh()

    def forward(self, past: Tensor, imagined: Sequence[Tensor]) -> Tensor:
        """Logits [B, K] of the sum of the past projections and of the imagined ones, each [B, 2K]."""
        logits, gates = past.chunk(2, dim=-1)
        g = self.gate((gates / self.layer).tanh()).sigmoid()
        future = torch.stack([projected.chunk(2, dim=-1)[0] for projected in imagined]).sum(0) if imagined else 0
        return 2 * g * logits + 2 * (1 - g) * future


class PastFutureExits(Exits):
    """Exits of which each weighs the [CLS] states so far against those that it imagines of the layers to come.

    `logits_m = 2 g sum_{j<=m} W_j c_j + 2 (1 - g) sum_{j>m} W_j chat_j` with `chat_j = tanh(A_j c_m)`, of the first K
    outputs of `W_j`; the gate is `g = sigmoid(G_m tanh(1/m sum_{j<=m} W_j c_j))` of the other K, `G_m` with a bias.
    `c_j` [B, d] is the [CLS] state of layer j, `m` the exit's layer. The memory [B, 2K] is `sum_{j<=m} W_j c_j`.

    Where they read standardized states, `c_j` is standardized wherever it stands above. `W_j` meets real and imagined
    states alike, and only the former would have to be scaled, so that the statistics cannot go into the weights: they
    are kept beside them.

    Source: Liao et al. 2021, section 3, and the authors' code. There `c_j` comes out of a pooler that each layer has,
    `A_j` has a bias, all exits share one G, and exit m's loss reaches the backbone through `c_m` alone.
    """

    def __init__(
        self, num_layers: int, hidden_size: int, num_outputs: int, dropout: float, *, standardized: bool = False
    ) -> None:
        super().__init__(
            PastFutureExit(layer, hidden_size, num_outputs, dropout, standardized=standardized)
            for layer in range(1, num_layers + 1)
        )

    def kept(self, places: Sequence[int]) -> "PastFutureExits":
        """LecoError, unless it is all: each exit's weights are for what the others see."""
        if list(places) != list(range(len(self))):
            raise LecoError("Past-future exits know each other, so that none can be dropped once they are trained.")
        return self

    def standardize(self, states: StateStatistics) -> None:
        """Fill in the statistics of the [CLS] states, for which the exits must be made `standardized`."""
        for part, mean, std in zip(self._parts, states.first_tokens.mean, states.first_tokens.std, strict=True):
            part.standardize = Standardize(mean.clone(), std.clone())

    def unfold(self, states: StateStatistics) -> None:
        """They keep their own statistics, with which they have been trained."""

    def folded(self) -> "PastFutureExits":
        """These exits themselves: see above."""
        return self

    def remember(self, layer: int, hidden: Tensor, memory: Tensor | None) -> Tensor:
        """The sum of the past projections, with that of `layer` added."""
        with in_float32(hidden):
            projected = self._parts[layer - 1].project(self.state(layer, hidden[:, 0]))
        return projected if memory is None else memory + projected

    def logits(self, layer: int, hidden: Tensor, mask: Tensor | None, memory: Tensor | None) -> Tensor:
        """The logits [B, K] of the sum so far and of what the later layers will make of the text."""
        later = self._parts[layer:]
        imagined = self.imagine(layer, hidden[:, 0])
        with in_float32(hidden):
            projected = [part.project(state) for part, state in zip(later, imagined, strict=True)]
            logits: Tensor = self[layer - 1](memory, projected)
        return logits

    def features(self, layer: int, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """The layer's own [CLS] state [B, d]."""
        return self.state(layer, hidden[:, 0])

    def subspace(self, layer: int) -> Subspace:
        """What the half of `W_j` that gives logits sees of it."""
        projection = self._parts[layer - 1].projection
        weight, bias = (one.chunk(2)[0] for one in (projection.weight, projection.bias))
        return Subspace.of(weight, bias)

    def imagine(self, layer: int, state: Tensor) -> list[Tensor]:
        """The [CLS] states [B, d] of the layers behind `layer`, as imagined from its own, `state` [B, d]."""
        with in_float32(state):
            seen = self.state(layer, state)
            return [part.imagine(seen) for part in self._parts[layer:]]

    def state(self, layer: int, state: Tensor) -> Tensor:
        """A layer's [CLS] state [B, d] as the exits read it."""
        part = self._parts[layer - 1]
        seen: Tensor = part.standardize(state.to(part.projection.weight.dtype))
        return seen

    @property
    def _parts(self) -> list[PastFutureExit]:
        return cast(list[PastFutureExit], list(self))
