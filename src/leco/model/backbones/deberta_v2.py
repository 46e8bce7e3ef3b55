"""DeBERTa, versions 2 and 3."""

from torch import Tensor
from transformers import PreTrainedModel

from leco.model.backbones.base import Context
from leco.model.backbones.deberta import DebertaBackbone


class DebertaV2Backbone(DebertaBackbone):
    """DeBERTa-v2 may add a convolution of the embeddings to the output of the first layer."""

    def layer(self, model: PreTrainedModel, index: int, hidden: Tensor, context: Context) -> Tensor:
        """The hidden state [B, L, d] that layer `index` makes of `hidden` [B, L, d]."""
        output = super().layer(model, index, hidden, context)
        if index == 0 and model.get_submodule("encoder").conv is not None:
            tokens = context["attention_mask"].diagonal(dim1=-2, dim2=-1).squeeze(1)  # [B, L]
            output = model.get_submodule("encoder.conv")(hidden, output, tokens.to(hidden.dtype))
        return output
