"""What users wrote is shown, and nothing in it is obeyed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from leco.display import in_markdown, in_plot, shortened, visible

ANY = st.text(st.characters(exclude_categories=()))
OBEYED = {"Cc", "Cs", "Zl", "Zp"}
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(ANY)
def test_nothing_is_left_that_a_terminal_obeys(text):
    shown = visible(text)
    assert not {unicodedata.category(character) for character in shown} & OBEYED
    assert not set(shown) & set(DIRECTIONS)
    shown.encode()
    assert visible(shown) == shown


@given(ANY)
def test_ends_of_lines_may_be_kept(text):
    assert visible(text, lines=True).split("\n") == [visible(line, lines=True) for line in text.split("\n")]
    assert visible(text, lines=True).count("\t") == text.count("\t")


@pytest.mark.parametrize("text", ["é 中 \U0001f600", "👩‍🚀", "نص עברית", "a [red] :smile: <b>", "ไทย हिन्दी"])
def test_writing_stays_as_it_is(text):
    assert visible(text) == text


@given(ANY, st.integers(10, 80))
def test_short_texts_have_their_beginning_and_no_more_characters_than_that(text, width):
    shown = shortened(text, width)
    assert shown == visible(text) if len(text) <= width else len(shown) <= 6 * width
    assert shortened("x" * 1000, width).count("x") == width - 3


HOSTILE = ["<script>alert(1)</script>", "[a](javascript:b)", "![a](b)", "*a* _b_ **c** `d`", "a|b", "# a", "~~a~~"]


@pytest.mark.parametrize("text", [*HOSTILE, "\u202egnp.exe", "a\n\n# b", "&lt;b&gt;", "\\*a\\*", "$x$"])
def test_markdown_shows_the_text_itself(text):
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"about {in_markdown(text)}")
    assert [token.type for token in page] == ["paragraph_open", "inline", "paragraph_close"]
    (inline,) = (token for token in page if token.type == "inline")
    assert {token.type for token in inline.children} <= {"text", "text_special"}
    assert "".join(token.content for token in inline.children) == f"about {visible(text)}"


@pytest.mark.parametrize("text", ["$x^$", "_hidden", "a$b", r"\$\alpha$", "$$", "é"])
def test_a_plot_draws_the_text_itself(text):
    figure = Figure()
    axis = figure.subplots()
    axis.plot([1], [1], label=in_plot(text))
    (drawn,) = axis.legend().get_texts()
    figure.canvas.draw()
    assert not drawn._preprocess_math(drawn.get_text())[1]
    assert drawn._preprocess_math(drawn.get_text())[0].strip() == text
