"""What every family of encoders has in common, which is what most of them need."""

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask

Context = Mapping[str, Any]
"""What the layers need beside the hidden state. Only the family that made it knows what is inside."""


class Backbone:
    """How one family of Transformers encoders is walked: embeddings first, then one layer after the other.

    A backbone keeps no state and no weights: it is handed the model each time. Every hidden state it returns
    equals the one of the same index that Transformers collects with `output_hidden_states=True`.

    What stands here fits a family that embeds the tokens by nothing but their ids and whose layers want nothing but
    the attention mask; the others override what they do differently. Shapes: B batch, L tokens, d hidden.
    """

    layers: ClassVar[str] = "encoder.layer"
    """The path, inside the model, of the list of its layers."""

    def embed(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """The hidden state before the first layer [B, L, d].

        `inputs` holds `input_ids` [B, L] and may hold `attention_mask` [B, L] (1 = token, 0 = padding) and
        `token_type_ids` [B, L]; a family without token types ignores the latter.
        """
        hidden: Tensor = model.get_submodule("embeddings")(input_ids=inputs["input_ids"])
        return hidden

    def context(self, model: PreTrainedModel, hidden: Tensor, attention_mask: Tensor) -> Context:
        """What the layers need beside the hidden state, from the attention mask [B, L] (1 = token, 0 = padding).

        Of `hidden` [B, L, d] only shape, dtype and device count, so that one context serves all layers, until rows
        leave the batch or its padding is cut.
        """
        return {"attention_mask": create_bidirectional_mask(model.config, hidden, attention_mask)}

    def layer(self, model: PreTrainedModel, index: int, hidden: Tensor, context: Context) -> Tensor:
        """The hidden state [B, L, d] that layer `index`, counted from 0, makes of `hidden` [B, L, d]."""
        output = self.block(model, index)(hidden, **context)
        states: Tensor = output[0] if isinstance(output, tuple) else output
        return states

    def block(self, model: PreTrainedModel, index: int) -> nn.Module:
        """The module of layer `index`."""
        return model.get_submodule(f"{self.layers}.{index}")

    def strip(self, model: PreTrainedModel) -> None:
        """Remove what no exit reads, the pooler, so that no parameter of `model` is left without a gradient."""
        if hasattr(model, "pooler"):
            model.register_module("pooler", None)

    def first_layers(self, config: PreTrainedConfig, layers: int) -> PreTrainedConfig:
        """The configuration of an encoder that ends after the first so many layers, from 1 to all of them."""
        shorter = copy.deepcopy(config)
        shorter.num_hidden_layers = layers
        return shorter

    def num_layers(self, config: PreTrainedConfig) -> int:
        """The number of layers, which is one less than that of hidden states."""
        return int(config.num_hidden_layers)

    def hidden_size(self, config: PreTrainedConfig) -> int:
        """The width d of a hidden state."""
        return int(config.hidden_size)

    def max_length(self, config: PreTrainedConfig) -> int:
        """The largest number of tokens that a text may have, special tokens included."""
        return int(config.max_position_embeddings)
