"""The encoders and the texts that scripts train and time."""

from transformers import AutoConfig, AutoModel, PreTrainedModel, PreTrainedTokenizerBase

from leco.data import TextDataset, encode, load_data, minilm_folder
from leco.model import load_backbone, load_tokenizer

BACKBONES = {
    "6 layers, hidden 384": None,  # all-MiniLM-L6-v2 itself
    "12 layers, hidden 768": {
        "num_hidden_layers": 12,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
    },
}


def backbone(name: str) -> PreTrainedModel:
    """A BERT encoder of the named size: the pretrained one, or one with random weights."""
    size = BACKBONES[name]
    if size is None:
        return load_backbone(str(minilm_folder()))
    return AutoModel.from_config(AutoConfig.from_pretrained(minilm_folder(), **size))


def reviews(rows: int) -> tuple[TextDataset, PreTrainedTokenizerBase]:
    """Tokenized film reviews with labels, and their tokenizer."""
    tokenizer = load_tokenizer(str(minilm_folder()))
    split = load_data("demo/rotten_tomatoes", train_rows=rows).train
    return TextDataset(encode(tokenizer, split.texts, 128), split.labels), tokenizer
