"""Texts to tokens, and tokens to padded batches."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from leco.data.types import Text

logger = logging.getLogger(__name__)

Encoding: TypeAlias = dict[str, list[int]]
"""One text as the tokenizer gives it: `input_ids`, `attention_mask` and with some tokenizers `token_type_ids`."""


def encode(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[Text],
    max_length: int,
    log: Callable[[str], None] = logger.warning,
) -> list[Encoding]:
    """The tokens of each text or pair, special tokens included, without padding, in the order of `texts`.

    What is longer than `max_length` tokens is truncated (of a pair the longer text first), and one line to `log`
    counts these texts.
    """
    encodings = _tokenize(tokenizer, texts)
    long = [row for row, encoding in enumerate(encodings) if len(encoding["input_ids"]) > max_length]
    if long:
        short = _tokenize(tokenizer, [texts[row] for row in long], truncation=True, max_length=max_length)
        for row, encoding in zip(long, short, strict=True):
            encodings[row] = encoding
        log(f"{len(long)} of {len(texts)} texts are longer than {max_length} tokens and are truncated (--max-length).")
    return encodings


def collate(
    tokenizer: PreTrainedTokenizerBase, encodings: Sequence[Mapping[str, Any]], multiple: int = 1
) -> dict[str, Tensor]:
    """A batch of B rows: each of the tokenizer's lists as an int64 tensor [B, L], padded at the right.

    L is the longest row's length, rounded up to a `multiple`. The key "labels", if there, becomes a tensor [B]
    (or [B, K]) of the labels' own type.
    """
    padding = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}
    longest = max(len(encoding["input_ids"]) for encoding in encodings)
    length = -(-longest // multiple) * multiple
    batch = {}
    for key in encodings[0].keys() - {"labels"}:
        rows = [encoding[key] for encoding in encodings]
        fill = padding.get(key, 0)
        batch[key] = torch.tensor([[*row, *[fill] * (length - len(row))] for row in rows])
    if "labels" in encodings[0]:
        batch["labels"] = torch.from_numpy(np.stack([encoding["labels"] for encoding in encodings]))
    return batch


def _tokenize(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], **options: Any) -> list[Encoding]:
    """The tokens of single texts and of pairs, which tokenizers take in different calls."""
    encodings: list[Encoding] = [{} for _ in texts]
    for pair in (False, True):
        rows = [row for row, text in enumerate(texts) if isinstance(text, tuple) is pair]
        if rows:
            chosen = [texts[row] for row in rows]
            columns = zip(*chosen, strict=True) if pair else [chosen]
            batch = tokenizer(*map(list, columns), verbose=False, **options)
            for position, row in enumerate(rows):
                encodings[row] = {key: values[position] for key, values in batch.items()}
    return encodings
