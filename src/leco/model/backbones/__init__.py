"""How the encoders of each family are walked, layer by layer.

A new family is one file beside this one and one line in `BACKBONES`.
"""

from collections.abc import Generator, Mapping

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from leco.errors import unknown_name
from leco.model.backbones.albert import AlbertBackbone
from leco.model.backbones.base import Backbone, Context
from leco.model.backbones.bert import BertBackbone
from leco.model.backbones.deberta import DebertaBackbone
from leco.model.backbones.deberta_v2 import DebertaV2Backbone
from leco.model.backbones.distilbert import DistilBertBackbone
from leco.model.backbones.electra import ElectraBackbone
from leco.model.backbones.modernbert import ModernBertBackbone
from leco.model.backbones.mpnet import MPNetBackbone
from leco.model.backbones.roberta import RobertaBackbone

__all__ = ["BACKBONES", "Backbone", "Context", "backbone_for", "walk"]

BACKBONES: Mapping[str, Backbone] = {
    "albert": AlbertBackbone(),
    "bert": BertBackbone(),
    "camembert": RobertaBackbone(),
    "deberta": DebertaBackbone(),
    "deberta-v2": DebertaV2Backbone(),
    "distilbert": DistilBertBackbone(),
    "electra": ElectraBackbone(),
    "modernbert": ModernBertBackbone(),
    "mpnet": MPNetBackbone(),
    "roberta": RobertaBackbone(),
    "xlm-roberta": RobertaBackbone(),
}
"""The known families under the `model_type` of their configurations."""


def backbone_for(config: PreTrainedConfig) -> Backbone:
    """The backbone of the family that `config` belongs to; a LecoError lists the known ones if it is none of them."""
    try:
        return BACKBONES[config.model_type]
    except KeyError:
        raise unknown_name("backbone family", config.model_type, BACKBONES) from None


def walk(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Generator[Tensor, Tensor | None]:
    """Yield the hidden states 0 to M of `model`, each [B, L, d]; a layer runs when its hidden state is asked for.

    A hidden state that is sent into the generator takes the place of the last one for the layers that follow.
    `inputs` holds `input_ids` [B, L] and may hold `attention_mask` [B, L] (absent = all ones) and `token_type_ids`
    [B, L]. `model` is a bare encoder with M layers, such as `AutoModel` makes.
    """
    backbone = backbone_for(model.config)
    attention_mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))
    hidden = backbone.embed(model, inputs)
    context = backbone.context(model, hidden, attention_mask)
    sent = yield hidden
    for index in range(backbone.num_layers(model.config)):
        hidden = backbone.layer(model, index, hidden if sent is None else sent, context)
        sent = yield hidden
