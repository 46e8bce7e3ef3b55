"""ELECTRA."""

from collections.abc import Mapping

from torch import Tensor
from transformers import PreTrainedModel

from leco.model.backbones.bert import BertBackbone


class ElectraBackbone(BertBackbone):
    """ELECTRA is BERT whose small models have embeddings of another width than their layers."""

    def embed(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """The embeddings [B, L, e], brought to the width of the layers [B, L, d] where the two differ."""
        hidden = super().embed(model, inputs)
        if hasattr(model, "embeddings_project"):
            hidden = model.get_submodule("embeddings_project")(hidden)
        return hidden
