"""DeBERTa, the first version."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from leco.model.backbones.base import Backbone, Context


class DebertaBackbone(Backbone):
    """DeBERTa attends to content and to relative positions apart; it sets the embeddings of padding to zero."""

    def embed(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """The hidden state before the first layer [B, L, d], zero at padding."""
        hidden: Tensor = model.get_submodule("embeddings")(
            input_ids=inputs["input_ids"],
            token_type_ids=inputs.get("token_type_ids"),
            mask=inputs.get("attention_mask"),
        )
        return hidden

    def context(self, model: PreTrainedModel, hidden: Tensor, attention_mask: Tensor) -> Context:
        """The mask of pairs of tokens [B, 1, L, L], the relative positions [1, L, L] and their embeddings."""
        encoder: Any = model.get_submodule("encoder")
        return {
            "attention_mask": encoder.get_attention_mask(attention_mask.bool()),
            "relative_pos": encoder.get_rel_pos(hidden),
            "rel_embeddings": encoder.get_rel_embedding(),
        }
