"""ALBERT."""

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from leco.errors import LecoError, parameter
from leco.model.backbones.bert import BertBackbone


class AlbertBackbone(BertBackbone):
    """ALBERT is BERT with narrow embeddings and with groups of layers that are used several times in succession.

    A layer here is one pass through one inner layer of a group, as it is in Transformers' hidden states.
    """

    layers = "encoder.albert_layer_groups"

    def embed(self, model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
        """The embeddings [B, L, e], brought to the width of the layers [B, L, d]."""
        hidden: Tensor = model.get_submodule("encoder.embedding_hidden_mapping_in")(super().embed(model, inputs))
        return hidden

    def block(self, model: PreTrainedModel, index: int) -> nn.Module:
        """The inner layer that is used as layer `index`."""
        config = model.config
        step, inner = divmod(index, config.inner_group_num)
        group = int(step / (config.num_hidden_layers / config.num_hidden_groups))  # rounded as in Transformers
        return model.get_submodule(f"{self.layers}.{group}.albert_layers.{inner}")

    def first_layers(self, config: PreTrainedConfig, layers: int) -> PreTrainedConfig:
        """The configuration of the first layers; LecoError unless all share their weights, as in published models.

        Which layer is in which of several groups depends on the number of layers.
        """
        if layers < self.num_layers(config) and (config.num_hidden_groups, config.inner_group_num) != (1, 1):
            raise LecoError(
                f"{parameter('layers')} {layers}: an ALBERT whose layers are in {config.num_hidden_groups} groups of "
                f"{config.inner_group_num} has no first layers that stand alone. Use all of its layers."
            )
        return super().first_layers(config, layers // config.inner_group_num)

    def num_layers(self, config: PreTrainedConfig) -> int:
        """The number of passes through inner layers (published models have one of these in a group)."""
        return super().num_layers(config) * int(config.inner_group_num)
