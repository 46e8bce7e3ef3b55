"""Columns found, texts checked."""

import pytest

from leco.data.columns import find_columns, texts_of
from leco.data.tables import Table
from leco.errors import LecoError


def table(**columns: list[object]) -> Table:
    return Table("x.csv", columns, list(range(2, 2 + len(next(iter(columns.values()))))), "line")


@pytest.mark.parametrize(
    ("names", "text", "label"),
    [
        (("text", "label"), ("text",), "label"),
        (("id", "Review", "Sentiment"), ("Review",), "Sentiment"),
        (("idx", "sentence1", "sentence2", "label"), ("sentence1", "sentence2"), "label"),
        (("premise", "hypothesis", "gold_label"), ("premise", "hypothesis"), "gold_label"),
        (("phrase", "label"), ("phrase",), "label"),
        (("grade", "text"), ("text",), "grade"),
        (("title", "text", "category"), ("text",), "category"),
    ],
)
def test_guesses(names: tuple[str, ...], text: tuple[str, ...], label: str) -> None:
    lines: list[str] = []
    assert find_columns(table(**{name: ["a"] for name in names}), None, None, lines.append) == (text, (label,))
    assert len(lines) == 1


def test_of_two_unknown_columns_the_longer_is_the_text() -> None:
    lines: list[str] = []
    found = find_columns(table(v1=["ham", "spam"], v2=["see you there", "win a price"]), None, None, lines.append)
    assert found == (("v2",), ("v1",))
    assert lines == ["Columns: text = 'v2', label = 'v1' (set them with text_columns / label_column)"]
    assert find_columns(table(a=[1, 0], b=["x", "y"]), None, None, lines.append) == (("b",), ("a",))


def test_named_columns_win_and_nothing_is_logged() -> None:
    data = table(text=["a"], note=["b"], label=["c"], other=["d"])
    assert find_columns(data, ["note"], ["other"], pytest.fail) == (("note",), ("other",))
    assert find_columns(data, ["text", "note"], ["other"], pytest.fail) == (("text", "note"), ("other",))
    assert find_columns(table(label=["a text"], x=["1"]), None, ["x"], lambda _: None) == (("label",), ("x",))


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        (["txt"], None, "no column 'txt'. Its columns: a, b, c. Choose one with text_columns"),
        (["a"], ["lbl"], "no column 'lbl'. Its columns: a, b, c. Choose one with label_column"),
        (None, ["lbl"], "no column 'lbl'"),
        (["a", "b", "c"], None, "text_columns takes one column, or two"),
        (None, None, "Which column of 'x.csv' is the text. Name it with text_columns"),
        (["a"], None, "Which column of 'x.csv' is the label. Name it with label_column"),
    ],
)
def test_unknown_columns(text: list[str] | None, label: list[str] | None, message: str) -> None:
    with pytest.raises(LecoError, match=message):
        find_columns(table(a=["x"], b=["y"], c=["z"]), text, label, lambda _: None)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("", "has no text. Write a text"),
        (" ", "has no text"),
        (None, "has no text"),
        (float("nan"), "has no text"),
        (7, "has 7, which is not text. Write a text or remove the row."),
        ("a \ud800 b", r"has half a character \(a lone surrogate\) at place 3. Replace it"),
    ],
)
def test_rows_without_text(cell: object, found: str) -> None:
    with pytest.raises(LecoError, match=f"'x.csv', line 3: the column 'text' {found}"):
        texts_of(table(text=["a", cell]), ["text"])


@pytest.mark.parametrize("names", [("te\udcffxt", "label"), ("text", "la\udcffbel")])
def test_names_of_columns_that_a_model_could_not_keep(names: tuple[str, str]) -> None:
    text, label = names
    columns = table(**{text: ["a text", "b"], label: ["x", "y"], "\udcff": ["1", "2"]})
    with pytest.raises(LecoError, match=r"'x.csv': the name of the column '(te|la)\\udcff\w+' has half a character"):
        find_columns(columns, [text], [label], pytest.fail)


TEN = range(10)
TEXT = [f"a text of {row}" for row in TEN]
OTHER = [f"another {row}" for row in TEN]
WORDS = ["yes", "no"] * 5


def guessed(**columns: list[object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return find_columns(table(**columns), None, None, lambda _: None)


def test_an_index_is_never_text_or_label() -> None:
    for name in ("", "Unnamed: 0", "index", "number"):
        assert guessed(**{name: list(TEN), "text": TEXT, "mood": WORDS}) == (("text",), ("mood",))
        assert guessed(**{name: [str(row + 1) for row in TEN], "a": TEXT, "b": WORDS}) == (("a",), ("b",))


def test_an_answer_that_is_yes_or_no_is_the_label_of_its_question() -> None:
    assert guessed(question=TEXT, passage=OTHER, answer=WORDS) == (("question", "passage"), ("answer",))
    assert guessed(question=TEXT, passage=OTHER, answer=[True, False] * 5) == (("question", "passage"), ("answer",))
    assert guessed(question=TEXT, answer=OTHER, label=WORDS) == (("question", "answer"), ("label",))


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"question": TEXT, "passage": OTHER, "answer": TEXT[::-1], "label": WORDS}, "text"),
        ({"text": TEXT, "review": OTHER, "label": WORDS}, "text"),
        ({"question": TEXT, "answer": WORDS, "sentence": OTHER, "label": WORDS}, "text"),
        ({"text": TEXT, "label": WORDS, "gold_label": WORDS}, "label"),
        ({"text": TEXT, "sentiment": WORDS, "rating": [3, 1] * 5}, "label"),
        ({"text": TEXT, "author": OTHER}, "label"),
        ({"a": TEXT, "b": OTHER}, "text"),
        ({"text": TEXT, "toxic": [0, 1] * 5, "obscene": [1, 0] * 5}, "label"),
    ],
)
def test_what_cannot_be_known_is_asked_for(columns: dict[str, list[object]], missing: str) -> None:
    with pytest.raises(LecoError, match=rf"Which column of 'x.csv' is the {missing}\? Name it with {missing}_column"):
        guessed(**columns)


def test_pairs_are_tuples() -> None:
    assert texts_of(table(a=["x", "y"], b=["1", "2"]), ["a", "b"]) == [("x", "1"), ("y", "2")]
