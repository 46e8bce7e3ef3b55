"""RoBERTa, XLM-RoBERTa and CamemBERT."""

from transformers import PreTrainedConfig

from leco.model.backbones.bert import BertBackbone


class RobertaBackbone(BertBackbone):
    """RoBERTa is BERT whose positions are counted from behind the id of the padding token."""

    def max_length(self, config: PreTrainedConfig) -> int:
        """The largest number of tokens: 512 of the 514 positions in the published models."""
        return super().max_length(config) - int(config.pad_token_id) - 1
