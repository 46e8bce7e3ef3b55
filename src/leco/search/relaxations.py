"""How architecture parameters become the weights of the candidates on an edge. A new way is one class and one line.

Shapes: M layers, O candidates of an edge.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from leco.options import option, validate
from leco.registry import Registry, build_variant, parse_variant

Alphas = Mapping[str, Tensor]
"""The architecture parameters [M, O] of each edge; those of dropped candidates are -inf."""
Own = Mapping[str, Tensor]
"""A relaxation's own architecture parameters [M, n] by name."""
NONE: Own = MappingProxyType({})
"""The own parameters of a relaxation that has none."""


@dataclass(frozen=True)
class Relaxation(ABC):
    """From alphas to weights that gradients pass through. Subclasses are frozen dataclasses; fields are settings."""

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, int]] = {}
    """Its own architecture parameters, and how many each layer has of them."""

    def __post_init__(self) -> None:
        validate(self)

    @abstractmethod
    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The weights [M, O] of each edge's candidates: what the history records and the discretization compares."""

    def sample(self, alphas: Alphas, progress: float, own: Own = NONE) -> dict[str, Tensor]:
        """The weights for one step of the search; `progress` goes from 0 to 1 over the search."""
        return self.weights(alphas, own)

    def penalty(self, alphas: Alphas) -> Tensor | None:
        """What is added to the loss of the alphas, a scalar."""
        return None

    def kept(self, candidates: int, progress: float) -> int:
        """How many of an edge's `candidates` are still in the search."""
        return candidates

    def channels(self, width: int) -> Tensor | None:
        """The channels [e] that pass through the candidates in one step, as 0 and 1; None is all."""
        return None


@dataclass(frozen=True)
class Darts(Relaxation):
    """DARTS (Liu et al. 2019): the softmax of the alphas, `exp(alpha_o) / sum_o' exp(alpha_o')` (section 3.2)."""

    name: ClassVar[str] = "darts"

    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The softmax over the candidates of each edge."""
        return {edge: values.softmax(-1) for edge, values in alphas.items()}


@dataclass(frozen=True)
class Snas(Darts):
    """SNAS (Xie et al. 2019): a sample of the Gumbel-softmax in each step, at a temperature that falls.

    `softmax((alpha + g) / lambda)` with `g = -log(-log u)`, `u` uniform; lambda falls geometrically from `first` to
    `last` over the search. The history and the discretization look at the softmax.
    """

    name: ClassVar[str] = "snas"

    first: float = option(1.0, "Temperature at the start.", above=0)
    last: float = option(0.1, "Temperature at the end.", above=0)

    def sample(self, alphas: Alphas, progress: float, own: Own = NONE) -> dict[str, Tensor]:
        """One draw for each layer and edge."""
        temperature = self.first * (self.last / self.first) ** progress
        return {edge: F.gumbel_softmax(values, tau=temperature, dim=-1) for edge, values in alphas.items()}


@dataclass(frozen=True)
class FairDarts(Relaxation):
    """FairDARTS (Chu et al. 2020): the sigmoid of each alpha, so that candidates do not compete.

    The zero-one loss `-strength * mean((sigmoid(alpha) - 1/2)^2)`, of each layer, drives each towards 0 or 1. Each edge
    then keeps its best candidate; the paper keeps all above a threshold, which may be none.
    """

    name: ClassVar[str] = "fair-darts"

    strength: float = option(10.0, "Weight of the zero-one loss.", minimum=0)

    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The sigmoid of each candidate's alpha."""
        return {edge: values.sigmoid() for edge, values in alphas.items()}

    def penalty(self, alphas: Alphas) -> Tensor:
        """The zero-one loss: a mean over a layer's candidates, summed over the layers as the exits' losses are."""
        by_layer = torch.cat(list(alphas.values()), dim=1)  # [M, all candidates]
        return -self.strength * (by_layer.sigmoid() - 0.5).square().mean(1).sum()


@dataclass(frozen=True)
class PcDarts(Darts):
    """PC-DARTS (Xu et al. 2021): a random share `1 / k` of the channels passes through the candidates, the rest by.

    `f(x) = sum_o w_o o(S x)` on the channels of S and x on the others, on the activation and encoder edges. The two
    encoder edges meet in one node, with weights of their own: edge normalization, `softmax(beta)` over the two.
    """

    name: ClassVar[str] = "pc-darts"
    parameters: ClassVar[Mapping[str, int]] = {"beta": 2}

    k: int = option(4, "One in k channels passes through the candidates.", minimum=1)

    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The softmax over the candidates; on the encoder edges times twice the edge's normalized weight."""
        weights = super().weights(alphas)
        betas = own["beta"].softmax(-1)  # [M, 2]
        for index, edge in enumerate(("encoder_1", "encoder_2")):
            weights[edge] = weights[edge] * 2 * betas[:, index : index + 1]
        return weights

    def channels(self, width: int) -> Tensor:
        """A random choice of `width / k` channels, at least one."""
        chosen = torch.zeros(width)
        chosen[torch.randperm(width)[: max(width // self.k, 1)]] = 1
        return chosen


@dataclass(frozen=True)
class PDarts(Darts):
    """P-DARTS (Chen et al. 2021): the search goes in stages, after each of which the weakest candidates are dropped.

    After a third of the search the best 5/8 of each edge's candidates stay, after two thirds the best 3/8, rounded up.
    Unlike the paper's, a stage goes on with the weights and alphas of the one before, and skips are not held back.
    """

    name: ClassVar[str] = "p-darts"

    def kept(self, candidates: int, progress: float) -> int:
        """All, 5/8 or 3/8 of them."""
        eighths = (8, 5, 3)[min(int(progress * 3), 2)]
        return -(-candidates * eighths // 8)


RELAXATIONS: Registry[type[Relaxation]] = Registry(
    "search relaxation", {relaxation.name: relaxation for relaxation in (Darts, Snas, FairDarts, PcDarts, PDarts)}
)
"""The relaxations by the names that the setting `relaxation` takes."""


def parse_relaxation(text: str) -> Relaxation:
    """A relaxation written as `NAME` or `NAME:SETTING=VALUE,...`; LecoError for an unknown one."""
    name, settings = parse_variant(text, example="snas:last=0.2")
    return build_variant(RELAXATIONS, name, settings)


def entropy(weights: Mapping[str, Tensor]) -> Tensor:
    """`-sum_o p_o log p_o` of the candidates' weights, normalized to sum to 1: for each layer [M] the mean over edges.

    Penalizing it brings the supernet closer to the discrete exits (Gao et al. 2020).
    """
    by_edge = []
    for values in weights.values():
        p = values / values.sum(-1, keepdim=True)
        by_edge.append(-(p * p.clamp_min(1e-12).log()).sum(-1))
    return torch.stack(by_edge).mean(0)
