"""Tokenized texts, whatever tokenizer made them and whatever runs them. B rows of a batch, L tokens."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from leco.errors import parameter

Text: TypeAlias = str | tuple[str, str]
"""One text, or a pair of texts that are classified together."""
Encoding: TypeAlias = Mapping[str, Sequence[int]]
"""One text as a tokenizer gives it, not padded: `input_ids`, `attention_mask` and with some `token_type_ids`."""


def pad(encodings: Sequence[Encoding], padding: Mapping[str, int], multiple: int = 1) -> dict[str, NDArray[Any]]:
    """A batch [B, L] of the encodings, int64, padded at the right; `padding` is not 0 for the names in it.

    L is the longest row's length, rounded up to a `multiple`.

    >>> pad([{"input_ids": [5, 6]}, {"input_ids": [7]}], {"input_ids": 1})
    {'input_ids': array([[5, 6],
           [7, 1]])}
    """
    longest = max(len(encoding["input_ids"]) for encoding in encodings)
    shape = len(encodings), -(-longest // multiple) * multiple
    batch = {name: np.full(shape, padding.get(name, 0), np.int64) for name in encodings[0]}
    for name, values in batch.items():
        for row, encoding in enumerate(encodings):
            values[row, : len(encoding[name])] = encoding[name]
    return batch


def half_character(text: str) -> str:
    r"""What is wrong with a text that has half a character, so that it cannot be UTF-8, and what to do; else nothing.

    >>> half_character("a whole one \U0001f600"), half_character("half \ud83d")[:40]
    ('', 'has half a character (a lone surrogate) ')
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return (
            f"has half a character (a lone surrogate) at place {error.start + 1}. Replace it, as "
            r"text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace') does."
        )
    return ""


def cut_line(cut: int, texts: int, max_length: int) -> str:
    """What a user is told where `cut` of so many `texts` were longer than `max_length` tokens.

    >>> cut_line(2, 10, 512)
    '2 of 10 texts are longer than 512 tokens and are truncated (max_length).'
    """
    named = parameter("max_length")
    return f"{cut} of {texts} texts are longer than {max_length} tokens and are truncated ({named})."
