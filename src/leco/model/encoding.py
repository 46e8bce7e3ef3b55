"""What all predictors with a tokenizer of Transformers share."""

from collections.abc import Callable, Iterable
from typing import Protocol

from transformers import PreTrainedTokenizerBase

from leco.data import Encoding, Text, encode_and_count
from leco.runtime.predictor import ignore
from leco.runtime.texts import checked


class HasTokenizer(Protocol):
    """What `TokenizerMixin` needs."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer, which neither cuts nor pads by itself."""

    @property
    def max_length(self) -> int:
        """The number of tokens to which texts are cut, special tokens included."""


class TokenizerMixin:
    """A predictor's `encode`."""

    def encode(self: HasTokenizer, texts: Iterable[Text], on_cut: Callable[[int], None] = ignore) -> list[Encoding]:
        """The tokens of each text, cut to the model's length; `on_cut` is told how many had to be."""
        encodings, cut = encode_and_count(self.tokenizer, list(checked(texts)), self.max_length)
        on_cut(cut)
        return encodings
