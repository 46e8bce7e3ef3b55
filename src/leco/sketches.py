"""A short memory of texts, by which they are known again in another order, in part, or under another name."""

import hashlib
from collections.abc import Iterable

from leco.tokens import Text

MANY, FEW = 2_048, 64
"""How many texts are kept of a training, and of what is small and shown."""
DIGITS = 10


def sketch(texts: Iterable[Text], most: int = MANY) -> str:
    """The smallest `most` of the texts' hashes, in one string: a fair sample of those that differ.

    Source: Broder, On the resemblance and containment of documents (1997), whose sketches these are.
    """
    return "".join(sorted({_hash(text) for text in texts})[:most])


def recognized(known: str, texts: Iterable[Text]) -> tuple[int, int]:
    """How many of some texts were in what a sketch was made of, of those of which it can tell that.

    >>> recognized(sketch(["a", "b", "c"]), ["c", "a"])
    (2, 2)
    """
    kept = [known[place : place + DIGITS] for place in range(0, len(known), DIGITS)]
    told = [one for one in map(_hash, texts) if kept and one <= kept[-1]]
    seen = set(kept)
    return sum(one in seen for one in told), len(told)


def _hash(text: Text) -> str:
    """The hash of a text, whatever the spaces between its words."""
    parts = (text,) if isinstance(text, str) else text
    words = "\0".join(" ".join(part.split()) for part in parts)
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
