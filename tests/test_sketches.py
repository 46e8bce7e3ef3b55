"""Sketches of texts: what they recognize, and how well they estimate it."""

import pytest

from leco.sketches import DIGITS, MANY, Recognized, recognized, sketch


def texts(first, last):
    return [f"text {number}" for number in range(first, last)]


def test_few_texts_are_all_known_again_in_any_order_and_pairs_are_no_texts():
    known = sketch([*texts(0, 50), ("a", "b")])
    assert recognized(known, texts(0, 50)[::-1])[0] == 50
    assert recognized(known, ["text  3 ", ("a", "b"), ("a b"), ("b", "a")])[0] == 2
    assert recognized(known, texts(50, 90))[0] == 0
    assert recognized("", texts(0, 50)) == recognized(known, []) == (0, 0)
    assert sketch(["half a character \ud800"])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_of_many_texts_the_share_is_estimated_from_a_sample(share):
    known = sketch(texts(0, 100_000))
    assert len(known) == MANY * DIGITS
    old = int(4_000 * share)
    hits, told = recognized(known, texts(50_000, 50_000 + old) + texts(200_000, 204_000 - old))
    assert 40 < told < 140
    assert hits / told == pytest.approx(share, abs=0.2)
    assert (hits == told) is (share == 1.0)


@pytest.mark.parametrize(
    ("hits", "told", "are_old", "some"),
    [
        (1, 400, False, "less than 1%"),
        (2, 2, False, "about 100%"),
        (3, 6, False, "about 50%"),
        (4, 6, True, "about 67%"),
    ],
)
def test_what_is_said_of_the_share(hits, told, are_old, some):
    found = Recognized(hits, told)
    assert found.are_old is are_old
    assert (
        found.sentence("'x.csv'", "it was made")
        == f"'x.csv': {some} of its texts are among those on which it was made."
    )
