"""How architecture parameters become the weights of the candidates on an edge."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor


class Relaxation(ABC):
    """From alphas [M, O] of each edge to weights [M, O] that gradients pass through."""

    name: ClassVar[str]

    @abstractmethod
    def weights(self, alphas: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The weights of the candidates, edge by edge."""


class Darts(Relaxation):
    """DARTS (Liu et al. 2019): the softmax of the alphas (section 3.2)."""

    name: ClassVar[str] = "darts"

    def weights(self, alphas: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`exp(alpha_o) / sum_o' exp(alpha_o')` on each edge of each layer."""
        return {edge: values.softmax(-1) for edge, values in alphas.items()}
