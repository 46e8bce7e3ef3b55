"""Texts to tokens, and tokens to padded batches."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from leco.tokens import Encoding, Text, cut_line, pad

logger = logging.getLogger(__name__)


def encode(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[Text],
    max_length: int,
    log: Callable[[str], None] = logger.warning,
) -> list[Encoding]:
    """The tokens of each of N `texts`, single or pairs, cut to `max_length` tokens; a line to `log` says how many were.

    The `tokenizer` adds its special tokens, which count; nothing is padded. See `encode_and_count`.
    """
    encodings, cut = encode_and_count(tokenizer, texts, max_length)
    if cut:
        log(cut_line(cut, len(texts), max_length))
    return encodings


def encode_and_count(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[Text], max_length: int
) -> tuple[list[Encoding], int]:
    """The tokens of each text or pair, special tokens included, without padding, in the order of `texts`.

    What is longer than `max_length` tokens is truncated, of a pair the longer text first; the number counts these.
    Several threads may use one tokenizer, as `without_limits` gives it.
    """
    encodings: list[Encoding] = [{} for _ in texts]
    cut = 0
    for pair in (False, True):
        rows = [row for row, text in enumerate(texts) if isinstance(text, tuple) is pair]
        if rows:
            chosen = [texts[row] for row in rows]
            columns = [list(column) for column in zip(*chosen, strict=True)] if pair else [chosen]
            tokens, long = _tokenize(tokenizer, columns, max_length)
            cut += long
            for row, encoding in zip(rows, tokens, strict=True):
                encodings[row] = encoding
    return encodings, cut


def without_limits(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """The tokenizer, which no longer truncates or pads by itself.

    Many files say that it should. It would be switched off for a call of ours, which disturbs calls in other threads.
    """
    if tokenizer.is_fast:
        backend: Any = tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
    tokenizer.padding_side = "right"
    return tokenizer


def padding(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """What a `tokenizer` has stand behind the last token, by the names of inputs; nothing else is not 0."""
    return {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}


def collate(
    tokenizer: PreTrainedTokenizerBase, encodings: Sequence[Mapping[str, Any]], multiple: int = 1
) -> dict[str, Tensor]:
    """A batch of B rows, `encodings`: each of the tokenizer's lists as an int64 tensor [B, L], padded at the right.

    L is the longest row's length, rounded up to a `multiple`. The key "labels", if there, becomes a tensor [B]
    (or [B, K]) of the labels' own type.
    """
    tokens = [{name: values for name, values in encoding.items() if name != "labels"} for encoding in encodings]
    padded = pad(tokens, padding(tokenizer), multiple)
    batch = {name: torch.from_numpy(values) for name, values in padded.items()}
    if "labels" in encodings[0]:
        batch["labels"] = torch.from_numpy(np.stack([encoding["labels"] for encoding in encodings]))
    return batch


def _tokenize(
    tokenizer: PreTrainedTokenizerBase, columns: Sequence[list[Text]], max_length: int
) -> tuple[list[dict[str, list[int]]], int]:
    """The tokens of single texts, or of the pairs of two columns, and how many of them had to be cut."""
    batch = tokenizer(*columns, verbose=False)
    rows = zip(*batch.values(), strict=True)
    encodings: list[dict[str, list[int]]] = [dict(zip(batch, row, strict=True)) for row in rows]
    long = [row for row, encoding in enumerate(encodings) if len(encoding["input_ids"]) > max_length]
    for row in long:
        if tokenizer.is_fast:
            kept = _kept(batch.sequence_ids(row), max_length, left=tokenizer.truncation_side == "left")
            encodings[row] = {key: [values[token] for token in kept] for key, values in encodings[row].items()}
        else:  # written in Python, without shared state
            alone = tokenizer(*([column[row]] for column in columns), truncation=True, max_length=max_length)
            encodings[row] = {key: values[0] for key, values in alone.items()}
    return encodings, len(long)


def _kept(sequences: Sequence[int | None], max_length: int, *, left: bool) -> list[int]:
    """The places of the tokens that are left of one text: all special ones, whose sequence is None, and of the longer
    text of a pair, 0 and 1, no more than of the other while there is too little room. `left` cuts at the beginning.
    """
    places: dict[int | None, list[int]] = {0: [], 1: [], None: []}
    for place, sequence in enumerate(sequences):
        places[sequence].append(place)
    first, second = places[0], places[1]
    room = max(max_length - len(places[None]), 0)
    shorter = min(len(first), len(second), room // 2)
    longer = room - shorter
    sizes = (shorter, longer) if len(first) <= len(second) else (longer, shorter)
    for size, own in zip(sizes, (first, second), strict=True):
        surplus = max(len(own) - size, 0)
        del own[slice(0, surplus) if left else slice(len(own) - surplus, None)]
    return sorted([*places[None], *first, *second])
