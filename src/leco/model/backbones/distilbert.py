"""DistilBERT."""

from leco.model.backbones.base import Backbone


class DistilBertBackbone(Backbone):
    """DistilBERT has neither token types nor a pooler."""

    layers = "transformer.layer"
