"""What `predict` is given, checked."""

from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any

from leco.display import shortened
from leco.errors import LecoError
from leco.provenance import Provenance, check_pair
from leco.tokens import Text

MOST_THREADS = 1024


def check_batch_size(batch_size: Any) -> None:
    """LecoError unless it is a whole number from 1."""
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise LecoError(f"The batch size must be a whole number, at least 1, not {shortened(repr(batch_size))}.")


def check_threads(threads: Any) -> None:
    """LecoError unless it is None or a whole number from 1 to `MOST_THREADS`."""
    if threads is not None and not (isinstance(threads, int) and 1 <= threads <= MOST_THREADS):
        raise LecoError(f"The threads must be a whole number from 1 to {MOST_THREADS}, not {shortened(repr(threads))}.")


def checked(texts: Any) -> Iterator[Text]:
    """The texts, pairs as tuples; LecoError for what is no iterable of them, and with its number for what is no text.

    >>> list(checked(["a text", ["a", "pair"]]))
    ['a text', ('a', 'pair')]
    """
    try:
        given = iter(texts)
    except TypeError:
        given = None
    if given is None or isinstance(texts, str | bytes | Mapping):
        raise LecoError(
            f"predict answers a list of texts, not {shortened(repr(texts))}: write predict([text]), "
            "or predict([(first, second)]) for a pair."
        )
    return (_text(number, text) for number, text in enumerate(given, start=1))


def checked_kind(texts: Iterator[Text], trained_on: Provenance | None) -> Iterator[Text]:
    """The texts; LecoError for a pair of a model that was trained on single texts, or the other way round."""
    for number, text in enumerate(texts, start=1):
        check_pair(trained_on, isinstance(text, tuple), f"Text {number} is one of")
        yield text


def _text(number: int, text: Any) -> Text:
    pair = isinstance(text, tuple | list)
    parts = tuple(text) if pair else (text,)
    if len(parts) > 2 or len(parts) < 1 + pair or not all(isinstance(part, str) for part in parts):
        raise LecoError(f"Text {number} is {shortened(repr(text))}, which is neither a text nor a pair of texts.")
    for part in parts:
        try:
            part.encode()
        except UnicodeEncodeError as error:
            raise LecoError(
                f"Text {number} has half a character (a lone surrogate) at place {error.start + 1}. Replace it, as "
                r"text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace') does."
            ) from error
    return parts if pair else parts[0]
