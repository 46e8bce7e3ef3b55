"""ModernBERT."""

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask, create_bidirectional_sliding_window_mask

from leco.model.backbones.base import Backbone, Context

MASKS = {
    "full_attention": create_bidirectional_mask,
    "sliding_attention": create_bidirectional_sliding_window_mask,
}


class ModernBertBackbone(Backbone):
    """ModernBERT has layers with global and with local attention, rotary positions, and a norm after the last layer."""

    layers = "layers"

    def context(self, model: PreTrainedModel, hidden: Tensor, attention_mask: Tensor) -> Context:
        """For each kind of layer the attention mask and the rotary embeddings (two of [1, L, d / heads])."""
        rotary = model.get_submodule("rotary_emb")
        positions = torch.arange(hidden.shape[1], device=hidden.device).unsqueeze(0)
        return {
            kind: {
                "attention_mask": MASKS[kind](model.config, hidden, attention_mask),
                "position_embeddings": rotary(hidden, positions, kind),
            }
            for kind in set(model.config.layer_types)
        }

    def first_layers(self, config: PreTrainedConfig, layers: int) -> PreTrainedConfig:
        """The configuration of the first layers, each of its kind."""
        shorter = super().first_layers(config, layers)
        shorter.layer_types = config.layer_types[:layers]
        return shorter

    def layer(self, model: PreTrainedModel, index: int, hidden: Tensor, context: Context) -> Tensor:
        """The hidden state [B, L, d] that layer `index` makes of `hidden` [B, L, d], normed after the last."""
        hidden = super().layer(model, index, hidden, context[model.config.layer_types[index]])
        if index + 1 == self.num_layers(model.config):
            hidden = model.get_submodule("final_norm")(hidden)
        return hidden
