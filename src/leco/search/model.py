"""The model of a search: a backbone, the supernet of all exits and the architecture parameters."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from leco.exits.architecture import EDGES
from leco.exits.space import SearchSpace
from leco.exits.supernet import Supernet
from leco.model.backbones import backbone_for, walk


class SearchModel(nn.Module):
    """Backbone, supernet and alphas. The alphas [M, O] of each edge start near 0, so that no operation leads."""

    def __init__(self, backbone: PreTrainedModel, space: SearchSpace, num_outputs: int, dropout: float) -> None:
        super().__init__()
        family = backbone_for(backbone.config)
        family.strip(backbone)
        num_layers = family.num_layers(backbone.config)
        self.space, self.backbone = space, backbone
        self.supernet = Supernet(space, num_layers, family.hidden_size(backbone.config), num_outputs, dropout)
        self.alphas = nn.ParameterDict(
            {edge: nn.Parameter(1e-3 * torch.randn(num_layers, len(space.operations(edge)))) for edge in EDGES}
        )

    def weights(self) -> dict[str, nn.Parameter]:
        """All parameters but the alphas, under their names."""
        return {name: value for name, value in self.named_parameters() if not name.startswith("alphas.")}

    def hidden_states(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The hidden states after all layers [M, B, L, d]."""
        return torch.stack(list(walk(self.backbone, inputs))[1:])

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> Tensor:
        """Logits [B, M, K] of all exits, the candidates of each edge weighed by `weights` [M, O]."""
        mask = inputs["attention_mask"].bool()
        return self.supernet(hidden, None if mask.all() else mask, weights).transpose(0, 1)
