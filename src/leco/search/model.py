"""The model of a search: a backbone, the supernet of all exits and the architecture parameters."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from leco.exits.architecture import EDGES
from leco.exits.space import SearchSpace
from leco.exits.standardize import Standardize, Statistics
from leco.exits.supernet import Supernet
from leco.model.backbones import backbone_for, walk


class SearchModel(nn.Module):
    """Backbone, supernet and alphas. The alphas [M, O] of each edge start near 0, so that no operation leads.

    Beside them stand a relaxation's `own` architecture parameters, if any, and which candidates are still alive. Given
    the `statistics` of the backbone's hidden states, all exits read standardized ones.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        space: SearchSpace,
        num_outputs: int,
        dropout: float,
        parameters: Mapping[str, int] | None = None,
        statistics: Statistics | None = None,
    ) -> None:
        super().__init__()
        family = backbone_for(backbone.config)
        family.strip(backbone)
        num_layers = family.num_layers(backbone.config)
        self.space, self.backbone = space, backbone
        self.supernet = Supernet(space, num_layers, family.hidden_size(backbone.config), num_outputs, dropout)
        if statistics is not None:
            mean, std = (values[:, None, None] for values in (statistics.mean, statistics.std))  # [M, 1, 1, d]
            self.supernet.standardize = Standardize(mean, std)
        sizes = {edge: len(space.operations(edge)) for edge in EDGES}
        self.alphas, self.own = (
            nn.ParameterDict({name: nn.Parameter(1e-3 * torch.randn(num_layers, size)) for name, size in of.items()})
            for of in (sizes, dict(parameters or {}))
        )
        for name, alpha in self.alphas.items():
            self.register_buffer(f"alive_{name}", torch.ones_like(alpha, dtype=torch.bool))

    def weights(self) -> dict[str, nn.Parameter]:
        """All parameters but those of the architecture, under their names."""
        architecture = {id(parameter) for parameter in self.architecture_parameters()}
        return {name: value for name, value in self.named_parameters() if id(value) not in architecture}

    def architecture_parameters(self) -> list[nn.Parameter]:
        """The alphas and the relaxation's own."""
        return [*self.alphas.values(), *self.own.values()]

    def live_alphas(self) -> dict[str, Tensor]:
        """The alphas, those of dropped candidates at minus infinity."""
        return {
            name: alpha.masked_fill(~self.get_buffer(f"alive_{name}"), -torch.inf)
            for name, alpha in self.alphas.items()
        }

    @torch.no_grad()
    def drop(self, kept: Callable[[int], int]) -> None:
        """Keep, of each edge of each layer, only the `kept(O)` of its O candidates with the largest alphas."""
        for edge in EDGES:
            alphas, alive = self.live_alphas()[edge], self.get_buffer(f"alive_{edge}")
            best = alphas.topk(kept(alphas.size(1)), dim=1).indices
            alive &= torch.zeros_like(alive).scatter(1, best, True)

    def hidden_states(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The hidden states after all layers [M, B, L, d]."""
        return torch.stack(list(walk(self.backbone, inputs))[1:])

    def forward(
        self,
        hidden: Tensor,
        inputs: Mapping[str, Tensor],
        weights: Mapping[str, Tensor],
        channels: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, M, K] of all exits, the candidates of each edge weighed by `weights` [M, O]; see `Supernet`."""
        mask = inputs["attention_mask"].bool()
        return self.supernet(hidden, None if mask.all() else mask, weights, channels).transpose(0, 1)
