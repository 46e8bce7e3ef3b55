"""A short memory of texts, by which they are known again in another order, in part, or under another name."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from leco.tokens import Text

MANY, FEW = 2_048, 64
"""How many texts are kept of a training, and of what is small and shown."""
DIGITS = 10
SURELY, MOST_SEEN = 3, 0.5
"""Texts of which so many, and more than this share, were seen before, are not new."""
MADE = "the model was trained, or its settings chosen"
"""What was done with the texts whose sketch a model keeps."""


class Recognized(NamedTuple):
    """How many of some texts were seen before (`hits`), of those of which a sketch can tell that (`told`)."""

    hits: int
    told: int

    @property
    def are_old(self) -> bool:
        """Whether so many were seen before that the texts are not new."""
        return self.hits >= SURELY and self.hits > MOST_SEEN * self.told

    def sentence(self, where: str, what: str) -> str:
        """What share of the texts `where` were seen before, when `what` was done."""
        share = self.hits / max(self.told, 1)
        some = f"about {share:.0%}" if share >= 0.005 else "less than 1%"
        return f"{where}: {some} of its texts are among those on which {what}."


def sketch(texts: Iterable[Text], most: int = MANY) -> str:
    """The smallest `most` of the texts' hashes, in one string: a fair sample of those that differ.

    Source: Broder, On the resemblance and containment of documents (1997), whose sketches these are.
    """
    return "".join(sorted({_hash(text) for text in texts})[:most])


def recognized(known: str, texts: Iterable[Text]) -> Recognized:
    """How many of some texts were in what a sketch was made of, of those of which it can tell that.

    >>> recognized(sketch(["a", "b", "c"]), ["c", "a"])
    Recognized(hits=2, told=2)
    """
    kept = [known[place : place + DIGITS] for place in range(0, len(known), DIGITS)]
    told = [one for one in map(_hash, texts) if kept and one <= kept[-1]]
    seen = set(kept)
    return Recognized(sum(one in seen for one in told), len(told))


def words_of(text: Text) -> str:
    """What is the same of two texts that are taken for one: all but the spaces between their words.

    >>> words_of("a  film ") == words_of("a film") != words_of(("a", "film"))
    True
    """
    parts = (text,) if isinstance(text, str) else text
    return "\0".join(" ".join(part.split()) for part in parts)


def _hash(text: Text) -> str:
    return hashlib.sha256(words_of(text).encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
