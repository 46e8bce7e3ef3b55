"""BERT."""

from collections.abc import Mapping

from torch import Tensor
from transformers import PreTrainedModel

from leco.model.backbones.base import Backbone


class BertBackbone(Backbone):
    """BERT tells the first text of a pair from the second by token types."""

    def embed(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """The hidden state before the first layer [B, L, d]."""
        hidden: Tensor = model.get_submodule("embeddings")(
            input_ids=inputs["input_ids"], token_type_ids=inputs.get("token_type_ids")
        )
        return hidden
