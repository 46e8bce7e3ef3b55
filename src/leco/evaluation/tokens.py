"""The tokens of a data set's texts, made once for all that is evaluated on them."""

import logging
from collections.abc import Callable
from dataclasses import replace

from leco.data import Split, TextData
from leco.runtime import Predictor
from leco.runtime.predictor import cut_warning
from leco.tokens import Encoding, cut_line

logger = logging.getLogger(__name__)


def tokens(predictor: Predictor, split: Split) -> list[Encoding]:
    """The tokens of a split's texts: those that it has, or else as the predictor makes them."""
    if split.encodings is not None or not split.texts:
        return split.encodings or []
    return predictor.encode(split.texts, on_cut=lambda cut: cut_warning(cut, len(split), predictor.max_length))


def tokenized(data: TextData, predictor: Predictor, log: Callable[[str], None] = logger.warning) -> TextData:
    """The data with the predictor's tokens of dev and test, unless it has them.

    A line to `log` says how many of the texts had to be cut.
    """
    if None not in (data.dev.encodings, data.test.encodings):
        return data
    cut: list[int] = []
    dev, test = (
        replace(split, encodings=predictor.encode(split.texts, cut.append) if split.texts else [])
        for split in (data.dev, data.test)
    )
    if sum(cut):
        log(cut_line(sum(cut), len(dev) + len(test), predictor.max_length))
    return replace(data, dev=dev, test=test)
