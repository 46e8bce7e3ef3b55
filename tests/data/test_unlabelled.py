"""Texts to classify."""

import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pandas as pd
import pytest

from leco.data import read_rows, read_texts
from leco.errors import LecoError
from leco.settings import SourceOptions


def texts_in(source, **settings):
    return [text for piece in read_texts(source, **settings) for text in piece]


def test_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "\ufeffone, two\r\n\r\n  three\tfour\u2028five\n"
    expected = ["one, two", "", "three\tfour\u2028five"]
    (tmp_path / "x.txt").write_bytes(content.encode())
    assert texts_in(tmp_path / "x.txt") == expected
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    assert texts_in("-") == expected


@pytest.mark.parametrize(
    ("content", "found", "kind"),
    [
        ('\n{"text": "a"}\n', "objects of JSON", "jsonl"),
        ('id,"review"\n1,good\n', "rows under names of columns", "csv"),
        ("review;id\ngood;1\n", "rows under names of columns", "csv"),
        ("review\tid\ngood\t1\n", "rows under names of columns", "tsv"),
        ("sep=;\nreview;id\ngood;1\n", "rows under names of columns", "csv"),
    ],
)
@pytest.mark.parametrize("name", ["x", "-"])
def test_tables_without_a_suffix_are_no_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str, found: str, kind: str
) -> None:
    """Whether they are is asked, and each line is one only where that is said."""
    (tmp_path / "x").write_text(content)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    source = name if name == "-" else tmp_path / name
    with pytest.raises(LecoError, match=f"seem to be {found}: .* Give format {kind}, or format txt"):
        texts_in(source, text_columns=["review"])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    assert texts_in(source, text_columns=["review"], format="txt") == [line.strip() for line in content.splitlines()]


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


MISSING = {
    "x.txt": "a\n\n \t\nb\n\n",
    "x.csv": "text\na\n\n  \nb\n\n",
    "quoted.csv": 'text,n\na,1\n"",2\n ,3\n\nb,4\n,\n',
    "x.tsv": "text\tn\na\t1\n\t2\n \t3\nb\t4\n\t\n",
    "x.jsonl": '{"text": "a"}\n\n{"text": null}\n{"text": " "}\n{"text": "b"}\n{"n": 1}\n',
    "x.json": '[{"text": "a"}, {"text": ""}, {}, {"text": "b"}, {"text": null}]',
}


@pytest.mark.parametrize("name", [*MISSING, "x.parquet"])
def test_no_row_is_left_out(tmp_path: Path, name: str) -> None:
    """What has no text is empty, and said to be; blank lines are rows where each line is a text."""
    if name == "x.parquet":
        pd.DataFrame({"text": ["a", None, "", "b", " "]}).to_parquet(tmp_path / name)
    else:
        (tmp_path / name).write_text(MISSING[name])
    (rows,) = read_rows(tmp_path / name, log=str)
    assert [text.strip() for text in rows.texts] == ["a", "", "", "b", ""]
    assert rows.missing == [None, "text is empty", "text is empty", None, "text is empty"]
    assert all(len(cells) == 5 for cells in rows.columns.values())


def test_a_pair_lacks_what_either_lacks(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"question": "a", "answer": null}\n{"question": "a", "answer": "nan"}\n')
    (rows,) = read_rows(tmp_path / "x.jsonl", log=str)
    assert rows.texts == [("a", ""), ("a", "nan")]
    assert rows.missing == ["answer is empty", None]


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("csv", 'n,text\n1,"a\nb"\n2,c\n'),
        ("tsv", 'n\ttext\n1\t"a\nb"\n2\tc\n'),
        ("jsonl", '{"n": 1, "text": "a\\nb"}\n{"text": "c"}\n'),
        ("json", '[{"n": 1, "text": "a\\nb"}, {"text": "c"}]'),
    ],
)
def test_tables_on_the_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format: str, content: str
) -> None:
    for stream in (io.BytesIO(content.encode()), pipe(content.encode())):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
        assert texts_in("-", format=format, log=str) == ["a\nb", "c"]
    with pytest.raises(LecoError, match=r"unsupported suffix or format ''. Name one of these with format: txt, csv"):
        texts_in("-", format="")
    (tmp_path / "x.log").write_text(content)
    assert texts_in(tmp_path / "x.log", format=format, log=str) == ["a\nb", "c"]
    with pytest.raises(LecoError, match=r"unsupported suffix or format 'log'. Name one of these with format: txt, csv"):
        texts_in(tmp_path / "x.log")


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-32", "iso-2022-jp", "utf-8-sig", "koi8-r"])
def test_lines_in_any_encoding_come_in_pieces(tmp_path: Path, encoding: str) -> None:
    lines = ["a b", "", *[f"text {number}" for number in range(3000)]]
    (tmp_path / "x.txt").write_bytes("\n".join(lines).encode(encoding))
    pieces = list(read_rows(tmp_path / "x.txt", where=SourceOptions(encoding=encoding)))
    assert [text for piece in pieces for text in piece.texts] == lines
    assert len(pieces) < 8
    (tmp_path / "x.txt").write_bytes("a\n\n".encode(encoding) + b"\xff\x00\xd8")
    if encoding in ("utf-8-sig", "iso-2022-jp"):
        with pytest.raises(LecoError, match=r"line 3 is not .*encoding"):
            list(read_rows(tmp_path / "x.txt", where=SourceOptions(encoding=encoding)))


def pipe(content: bytes) -> BinaryIO:
    """A stream that can be read once."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(content)
    return os.fdopen(reader, "rb")


def test_an_encoding_that_python_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, content in (("cp1252", "é\nb\n".encode("cp1252")), ("cp1252", "é\nb\n".encode())):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content), encoding=encoding))
        assert texts_in("-") == ["é", "b"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO("b\né\n".encode("cp1252")), encoding="ascii"))
    with pytest.raises(LecoError, match="line 2 is not UTF-8"):
        texts_in("-")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"", "'x.txt' has no texts"),
        ("x.csv", b"text\n", "'x.csv' has no rows"),
        ("x.jsonl", b"\n\n", "'x.jsonl' has no rows"),
        (
            "x.jsonl",
            b'{"text": "a"}\n{"text": 7}',
            "line 2: the column 'text' has 7, which is not text. Choose one with",
        ),
        ("x.txt", b"a\n\xff", "line 2 is not UTF-8"),
        ("x.csv", b"a,b\n1,2\n", "Which column of 'x.csv' is the text. Name it with text_columns"),
        ("x.docx", b"a", "unsupported suffix"),
    ],
)
def test_unusable_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LecoError, match=message):
        texts_in(tmp_path / name)


def test_half_a_character_is_named(tmp_path: Path) -> None:
    """Some encodings can write it."""
    (tmp_path / "x.csv").write_text("text\na\nb +2AA- c\n")
    with pytest.raises(LecoError, match=r"'x.csv', line 3: the column 'text' has half a character .* at place 3"):
        texts_in(tmp_path / "x.csv", where=SourceOptions(encoding="utf-7"), log=str)


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
    monkeypatch.setattr("leco.data.lines.BLOCK", size)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO("\ufeffé\n\n中文 b\r\n\U0001f600".encode())))
    assert texts_in("-") == ["é", "", "中文 b", "\U0001f600"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a\n\nb\n\xff\n")))
    with pytest.raises(LecoError, match="'standard input', line 4 is not UTF-8"):
        texts_in("-")
