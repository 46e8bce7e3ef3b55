"""A separable toy task for training and search, and the tiny encoder that learns it in seconds."""

from types import SimpleNamespace

import numpy as np
import torch
from transformers import BertConfig, BertModel

from leco.data import TextDataset
from leco.exits.architecture import Architecture
from leco.model import build_model

TOKENIZER = SimpleNamespace(pad_token_id=0, pad_token_type_id=0, save_pretrained=lambda folder: None)
LAYERS, HIDDEN = 3, 32
LEARNED = Architecture("gelu", "conv_3", "null", "max", "tanh", width=16)


def encoder(seed=0):
    """A random BERT of 3 layers."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=40,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    return BertModel(config)


def dataset(rows=64, seed=0):
    """Sequences of 4 to 12 tokens; the label says which of two marks is in them."""
    rng = np.random.default_rng(seed)
    encodings, labels = [], []
    for _ in range(rows):
        label = int(rng.integers(2))
        ids = [1, *rng.integers(10, 40, rng.integers(3, 12)).tolist()]
        ids[rng.integers(1, len(ids))] = 5 + label
        encodings.append({"input_ids": ids, "attention_mask": [1] * len(ids)})
        labels.append(label)
    return TextDataset(encodings, np.array(labels))


def model_with(exits, problem_type="single_label_classification", labels=("first", "second")):
    """The encoder with the same fresh exit on each layer."""
    backbone = encoder()
    torch.manual_seed(0)
    model = build_model(backbone, [exits] * LAYERS, labels, problem_type=problem_type)
    model.tokenizer = TOKENIZER
    return model
