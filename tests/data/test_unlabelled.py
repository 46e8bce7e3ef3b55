"""Texts to classify."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from leco.data import read_texts
from leco.errors import LecoError


def texts_in(source, **settings):
    return [text for piece in read_texts(source, **settings) for text in piece]


def test_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\ufeffone, two\r\n\r\n  three\tfour\u2028five\n"
    expected = ["one, two", "three\tfour\u2028five"]
    (tmp_path / "x.txt").write_bytes(content.encode())
    assert texts_in(tmp_path / "x.txt") == expected
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    assert texts_in("-") == expected


@pytest.mark.parametrize(
    ("name", "content", "columns", "expected"),
    [
        ("x.csv", "id,review\n1,good\n", None, ["good"]),
        ("x.csv", "phrase\ngood\n", None, ["good"]),
        ("x.csv", "a,b\n1,good\n", ["b"], ["good"]),
        ("x.tsv", "premise\thypothesis\tlabel\nx\ty\t0\n", None, [("x", "y")]),
        ("x.jsonl", '{"a": "x", "b": "y"}', ["b", "a"], [("y", "x")]),
    ],
)
def test_tables(tmp_path: Path, name: str, content: str, columns: list[str] | None, expected: list[object]) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    lines: list[str] = []
    assert texts_in(tmp_path / name, text_columns=columns, log=lines.append) == expected
    assert len(lines) == (columns is None)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"\n\n", "'x.txt' has no texts"),
        ("x.txt", b"a\n\xff", "line 2 is not UTF-8"),
        ("x.csv", b"a,b\n1,2\n", "Which column of 'x.csv' is the text. Name it with --text-column"),
        ("x.csv", b"text,b\n,2\n", "line 2: the column 'text' has no text"),
        ("x.docx", b"a", "unsupported suffix"),
    ],
)
def test_unusable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LecoError, match=message):
        texts_in(tmp_path / name)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(LecoError, match="does not exist"):
        texts_in(tmp_path / "x.txt")
