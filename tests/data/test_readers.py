"""Files to tables, and what is wrong with files."""

import json
from pathlib import Path

import pandas as pd
import pytest

from leco.data.readers import READERS, read_table
from leco.errors import LecoError


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def columns(path: Path, content: str | bytes) -> dict[str, list[object]]:
    return dict(read_table(write(path, content)).columns)


def test_csv(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "x.csv", '\ufefftext, label\r\n\r\n"a ""b"",\nc",1\r\n,,\r\nNA,0\r\n'[:-2]))
    assert table.columns == {"text": ['a "b",\nc', "NA"], "label": ["1", "0"]}
    assert [table.where(row) for row in (0, 1)] == ["'x.csv', line 3", "'x.csv', line 6"]


def test_csv_with_a_very_long_text(tmp_path: Path) -> None:
    assert len(columns(tmp_path / "x.csv", f"text,label\n{'a' * 200_000},1\n")["text"][0]) == 200_000


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('label\ttext\n0\ta "b" c\n', ['a "b" c']),
        ('label\ttext\n0\t"a\tb"\n', None),
        ('label\ttext\n0\t"a ""b"" c"\n1\tx\n', ['a "b" c', "x"]),
        ('label\ttext\n0\t" a\n1\tb "\n', ['" a', 'b "']),
        ('label\ttext\n0\t" a\n1\tb\n', ['" a', "b"]),
        ('text\tlabel\n" a\t0\nb "\t1\n', ['" a', 'b "']),
    ],
)
def test_tsv_with_and_without_quoting(tmp_path: Path, content: str, text: list[str] | None) -> None:
    if text is None:
        with pytest.raises(LecoError, match="line 2 has 3 cells"):
            columns(tmp_path / "x.tsv", content)
    else:
        assert columns(tmp_path / "x.tsv", content)["text"] == text


def test_jsonl_json_and_parquet_agree(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": ["x", "y"], "n": 1}, {"text": "b", "label": [], "n": None}]
    expected = {key: [row[key] for row in rows] for key in rows[0]}
    assert columns(tmp_path / "x.jsonl", "\n\n".join(map(json.dumps, rows))) == expected
    assert columns(tmp_path / "x.json", json.dumps(rows)) == expected
    frame = pd.DataFrame({**expected, "n": pd.array([1, None], dtype="Int64")})
    frame.to_parquet(tmp_path / "x.parquet")
    assert read_table(tmp_path / "x.parquet").columns == expected


def test_jsonl_keys_may_be_missing(tmp_path: Path) -> None:
    assert columns(tmp_path / "x.jsonl", '{"a": 1}\n{"b": 2}') == {"a": [1, None], "b": [None, 2]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.xlsx", "a", "unsupported suffix '.xlsx'. Supported: .csv, .tsv"),
        ("x.csv", "", "'x.csv' has no rows"),
        ("x.csv", "text,label\n\n", "'x.csv' has no rows"),
        ("x.jsonl", "\n", "'x.jsonl' has no rows"),
        ("x.json", "[]", "'x.json' has no rows"),
        ("x.csv", "text,label\na,1\n\nb\n", "line 4 has 1 cells, but the header line has 2"),
        ("x.csv", "text,label\na,b,1\n", "line 2 has 3 cells"),
        ("x.csv", 'text,label\na,1\n"b,1\nc,0\n', "line 3 has broken quoting"),
        ("x.csv", "text,text\na,1\n", "two columns named 'text'"),
        ("x.csv", b"text,label\na,1\n\xe9,0\n", "line 3 is not UTF-8"),
        ("x.jsonl", '{"text": "a"}\n\n{"text": \n', "'x.jsonl', line 3 is not valid JSON: Expecting value"),
        ("x.jsonl", '{"text": "a"}\n["b"]\n', "line 2 is not a JSON object"),
        ("x.json", '[{"text": "a"},\n{"text" "b"}]', "'x.json' is not valid JSON: Expecting ':' delimiter: line 2"),
        ("x.json", "[1]", "row 1 is not a JSON object"),
        ("x.json", '{"text": "a"}', "not a JSON list"),
        ("x.parquet", "no", "not a Parquet file"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(LecoError, match=message):
        columns(tmp_path / name, content)


@pytest.mark.parametrize("suffix", READERS)
def test_missing_files(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(LecoError, match="does not exist"):
        read_table(tmp_path / f"x{suffix}")


def test_a_folder_named_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(LecoError, match="cannot be read"):
        read_table(tmp_path / "x.csv")
