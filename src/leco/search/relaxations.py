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
        """The weights [M, O] for one step of the search; `progress` goes from 0 to 1 over the search.

        Its warm-up counts, in which the weights learn by such steps, too.
        """
        return self.weights(alphas, own)

    def penalty(self, alphas: Alphas) -> Tensor | None:
        """What is added to the loss of the alphas, a scalar."""
        return None

    def kept(self, candidates: int, progress: float) -> int:
        """How many of an edge's `candidates` are still in the search.

        `progress` goes from 0 to 1 over the epochs in which the alphas move: while they wait, none is better.
        """
        return candidates

    def channels(self, width: int) -> Tensor | None:
        """The channels [e] that pass through the candidates in one step, as 0 and 1; None is all."""
        return None


@dataclass(frozen=True)
class Darts(Relaxation):
    """The softmax of an edge's alphas [M, O] over its candidates o: `exp(alpha_o) / sum_o' exp(alpha_o')`.

    Source: DARTS (Liu et al. 2019), section 3.2; LECO, section 4.

    >>> Darts().weights({"pooler": torch.tensor([[0.0, 0.0, -torch.inf]])})["pooler"]
    tensor([[0.5000, 0.5000, 0.0000]])
    """

    name: ClassVar[str] = "darts"

    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The softmax [M, O] over the candidates of each edge."""
        return {edge: values.softmax(-1) for edge, values in alphas.items()}


@dataclass(frozen=True)
class Snas(Darts):
    """A sample of the Gumbel-softmax in each step, at a temperature that falls.

    `softmax((alpha + g) / lambda)` over an edge's candidates, with `g = -log(-log u)`, `u` uniform; lambda falls
    geometrically from `first` to `last` over the search. The history and the discretization look at the softmax.

    Source: SNAS (Xie et al. 2019).

    >>> drawn = Snas(last=0.01).sample({"pooler": torch.zeros(1, 3)}, progress=1.0)["pooler"]  # [M, O]: nearly one-hot
    >>> round(float(drawn.sum()), 3)
    1.0
    """

    name: ClassVar[str] = "snas"

    first: float = option(1.0, "Temperature at the start.", above=0)
    last: float = option(0.1, "Temperature at the end.", above=0)

    def sample(self, alphas: Alphas, progress: float, own: Own = NONE) -> dict[str, Tensor]:
        """One draw [M, O] for each layer and edge."""
        temperature = self.first * (self.last / self.first) ** progress
        return {edge: F.gumbel_softmax(values, tau=temperature, dim=-1) for edge, values in alphas.items()}


@dataclass(frozen=True)
class FairDarts(Relaxation):
    """The sigmoid of each alpha, `1 / (1 + exp(-alpha_o))`, so that candidates do not compete.

    The zero-one loss `-strength * mean((sigmoid(alpha) - 1/2)^2)`, of each layer, drives each towards 0 or 1. Each edge
    then keeps its best candidate; the paper keeps all above a threshold, which may be none.

    Source: FairDARTS (Chu et al. 2020).

    >>> alphas = {"pooler": torch.tensor([[0.0, torch.inf]])}  # [M, O]
    >>> FairDarts().weights(alphas)["pooler"], FairDarts(strength=8.0).penalty(alphas)  # -8 (0 + 1/4) / 2
    (tensor([[0.5000, 1.0000]]), tensor(-1.))
    """

    name: ClassVar[str] = "fair-darts"

    strength: float = option(10.0, "Weight of the zero-one loss.", minimum=0)

    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The sigmoid [M, O] of each candidate's alpha."""
        return {edge: values.sigmoid() for edge, values in alphas.items()}

    def penalty(self, alphas: Alphas) -> Tensor:
        """The zero-one loss, a scalar: a mean over a layer's candidates, summed over layers like the exits' losses."""
        by_layer = torch.cat(list(alphas.values()), dim=1)  # [M, all candidates]
        return -self.strength * (by_layer.sigmoid() - 0.5).square().mean(1).sum()


@dataclass(frozen=True)
class PcDarts(Darts):
    """A random share `1 / k` of the channels passes through the candidates, the rest passes by.

    `f(x) = sum_o w_o o(S x)` on the channels of S and x on the others, on the activation and encoder edges. The two
    encoder edges meet in one node, with weights of their own: edge normalization, `softmax(beta)` over the two.

    Source: PC-DARTS (Xu et al. 2021).

    >>> PcDarts(k=4).channels(width=32).sum()  # S [e], of 0 and 1
    tensor(8.)
    """

    name: ClassVar[str] = "pc-darts"
    parameters: ClassVar[Mapping[str, int]] = {"beta": 2}

    k: int = option(4, "One in k channels passes through the candidates.", minimum=1)

    def weights(self, alphas: Alphas, own: Own = NONE) -> dict[str, Tensor]:
        """The softmax [M, O] over the candidates; on the encoder edges times twice the edge's normalized weight."""
        weights = super().weights(alphas)
        betas = own["beta"].softmax(-1)  # [M, 2]
        for index, edge in enumerate(("encoder_1", "encoder_2")):
            weights[edge] = weights[edge] * 2 * betas[:, index : index + 1]
        return weights

    def channels(self, width: int) -> Tensor:
        """A random choice [e] of `width / k` channels, at least one."""
        chosen = torch.zeros(width)
        chosen[torch.randperm(width)[: max(width // self.k, 1)]] = 1
        return chosen


@dataclass(frozen=True)
class PDarts(Darts):
    """The softmax, in a search that goes in stages, after each of which the weakest candidates are dropped.

    After a third of the epochs in which the alphas move the best 5/8 of each edge's candidates stay, after two thirds
    the best 3/8, rounded up. Unlike the paper's, a stage goes on with the weights and alphas of the one before, and
    skips are not held back.

    Source: P-DARTS (Chen et al. 2021).

    >>> [PDarts().kept(8, progress) for progress in (0.0, 0.4, 0.8)]
    [8, 5, 3]
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
    """The relaxation that `text` names, `NAME` or `NAME:SETTING=VALUE,...`; LecoError for an unknown one.

    >>> parse_relaxation("snas:last=0.2")
    Snas(first=1.0, last=0.2)
    """
    name, settings = parse_variant(text, example="snas:last=0.2")
    return build_variant(RELAXATIONS, name, settings)


def entropy(weights: Mapping[str, Tensor]) -> Tensor:
    """`-sum_o p_o log p_o` of the candidates' weights, normalized to sum to 1: for each layer [M] the mean over edges.

    The weights are [M, O] for each edge. Penalizing it brings the supernet closer to the discrete exits.

    Source: Gao et al. 2020.

    >>> entropy({"pooler": torch.tensor([[0.5, 0.5]])})  # log 2
    tensor([0.6931])
    """
    by_edge = []
    for values in weights.values():
        p = values / values.sum(-1, keepdim=True)
        by_edge.append(-(p * p.clamp_min(1e-12).log()).sum(-1))
    return torch.stack(by_edge).mean(0)
