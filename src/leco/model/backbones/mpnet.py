"""MPNet."""

from typing import Any

from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from leco.model.backbones.base import Backbone, Context


class MPNetBackbone(Backbone):
    """MPNet adds one bias by relative position, which all layers share, to the attention scores."""

    def context(self, model: PreTrainedModel, hidden: Tensor, attention_mask: Tensor) -> Context:
        """The attention mask and the position bias [B, heads, L, L]."""
        encoder: Any = model.get_submodule("encoder")
        return {
            **super().context(model, hidden, attention_mask),
            "position_bias": encoder.compute_position_bias(hidden),
        }

    def max_length(self, config: PreTrainedConfig) -> int:
        """The largest number of tokens: as in RoBERTa, but the padding token has the id 1 whatever `config` says."""
        return super().max_length(config) - 2
