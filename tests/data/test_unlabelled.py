"""Texts to classify."""

import io
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
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
        ("x.csv", b"a,b\n1,2\n", "Which column of 'x.csv' is the text. Name it with text_columns"),
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


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_large_files_come_in_pieces_and_whole(tmp_path: Path, suffix: str) -> None:
    texts = [f"text {number}" for number in range(3000)]
    frame, path = pd.DataFrame({"text": texts, "id": range(3000)}), tmp_path / f"x{suffix}"
    if suffix == ".txt":
        path.write_text("\n".join(texts))
    elif suffix in (".csv", ".tsv"):
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=suffix == ".jsonl")
    pieces = list(read_texts(path))
    assert max(map(len, pieces)) <= 1024
    assert [text for piece in pieces for text in piece] == texts


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_lines_are_whole_however_the_input_is_cut(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("leco.data.unlabelled.BLOCK", size)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO("\ufeffé\n\n中文 b\r\n\U0001f600".encode())))
    assert texts_in("-") == ["é", "中文 b", "\U0001f600"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a\n\nb\n\xff\n")))
    with pytest.raises(LecoError, match="'standard input', line 4 is not UTF-8"):
        texts_in("-")
