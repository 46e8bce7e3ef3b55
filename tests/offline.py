"""What a run needs and finds on the spot: a tiny encoder with its tokenizer, and a task that it learns in seconds."""

import csv
import random

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
FILLERS = ["a", "film", "of", "which", "nobody", "would", "say", "that", "it", "is", "so", "and", "on"]
SIGNS = {"negative": ("bad", "dull"), "positive": ("good", "fine")}
OPTIONS = {
    "epochs": 3,
    "search_epochs": 2,
    "batch_size": 16,
    "lr": 3e-3,
    "exit_lr": 1e-2,
    "criterion": "cobee",
    "repeats": 1,
    "timed_texts": 5,
}
"""Of a run that takes seconds."""
SHORT = [str(word) for name, value in OPTIONS.items() for word in ("--" + name.replace("_", "-"), value)]
"""The same as flags."""


def write_encoder(folder, layers=3):
    """A random BERT of so many layers and a tokenizer of whole words."""
    words = [*SPECIAL, *FILLERS, *(word for signs in SIGNS.values() for word in signs)]
    ids = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordLevel(ids, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=24,
        initializer_range=0.1,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def rows(number=240, seed=0):
    """Texts of some words, one of which is good or bad, and their labels in turn."""
    choose = random.Random(seed)
    for row in range(number):
        label = sorted(SIGNS)[row % 2]
        words = choose.choices(FILLERS, k=choose.randint(2, 8))
        words.insert(choose.randrange(len(words)), choose.choice(SIGNS[label]))
        yield " ".join(words), label


def write_csv(path, table, header=("text", "label")):
    """A CSV file of the rows of `table`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *table])
    return path
