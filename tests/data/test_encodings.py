"""Files in any encoding, packed or not."""

import gzip
from pathlib import Path

import pytest

from leco.data import load_data, read_texts
from leco.data.encodings import is_utf8
from leco.data.readers import read_table
from leco.errors import LecoError
from leco.settings import SourceOptions

CONTENT = "text,label\n" + "".join(f"un café à {number},{'oui' if number % 2 else 'non'}\n" for number in range(40))


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("utf-32", None),
        ("utf-16", "cp1252"),  # the mark says what it is
        ("utf-8-sig", "cp1252"),
        ("cp1252", "cp1252"),
        ("latin-1", "latin-1"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz"])
def test_encodings(tmp_path: Path, written: str, named: str | None, suffix: str) -> None:
    content = (CONTENT.replace(",", "\t") if suffix == ".tsv" else CONTENT).encode(written)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    data = load_data(str(path), encoding=named)
    assert sorted({*data.train.texts, *data.dev.texts, *data.test.texts})[0] == "un café à 0"
    assert data.source.encoding == named
    texts = read_texts(path, where=SourceOptions(encoding=named), text_columns=["text"])
    assert next(texts)[:2] == ["un café à 0", "un café à 1"]


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".json", ".txt.gz"])
def test_encodings_of_lines_and_json(tmp_path: Path, suffix: str) -> None:
    rows = {".jsonl": '{"text": "café"}\n{"text": "à"}\n', ".json": '[{"text": "café"}, {"text": "à"}]'}
    text = rows.get(suffix, "café\nà\n")
    for encoding, named in (
        ("utf-16", None),
        ("cp1252", "cp1252"),
        ("utf-16-le", "utf-16-le"),
        ("utf-8-sig", "cp1252"),
        ("utf-8-sig", None),
    ):
        content = text.encode(encoding)
        path = tmp_path / f"x{suffix}"
        path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
        pieces = read_texts(path, where=SourceOptions(encoding=named), log=str)
        assert [text for piece in pieces for text in piece] == ["café", "à"]


@pytest.mark.parametrize(
    ("content", "named", "message"),
    [
        (CONTENT.encode("cp1252"), None, "'x.csv', line 2 is not UTF-8 text. Name the file's encoding with encoding"),
        (b"text,label\n" + b"a,b\n" * 9000 + b"\xe9,b\n", None, "'x.csv', line 9002 is not UTF-8 text"),
        (CONTENT.encode("utf-16-le"), None, "'x.csv' seems to be in UTF-16 or UTF-32, without a mark"),
        (CONTENT.encode(), "ascii", "'x.csv', line 2 is not ascii text"),
        (CONTENT.encode(), "utf-16", "'x.csv', line 1 is not utf-16 text"),
        (CONTENT.encode(), "utf-9", "encoding: there is no encoding 'utf-9'. Name one such as"),
        (CONTENT.encode(), "base64", "there is no encoding 'base64'"),
        (b"\xff\xfea", None, "'x.csv', line 1 is not utf-16 text"),
    ],
)
def test_what_is_not_in_the_encoding_is_named(tmp_path: Path, content: bytes, named: str | None, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(LecoError, match=message):
        read_table(path, SourceOptions(encoding=named))


@pytest.mark.parametrize("content", [b"text,label\na,b\n", gzip.compress(CONTENT.encode())[:-20], b"", b"\x1f\x8b\x08"])
def test_broken_gzip_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv.gz").write_bytes(content)
    with pytest.raises(LecoError, match=r"x\.csv\.gz"):
        read_table(tmp_path / "x.csv.gz")


def test_utf8_is_known(tmp_path: Path) -> None:
    for encoding, known in (("utf-8", True), ("utf-8-sig", True), ("cp1252", False)):
        (tmp_path / "x.csv").write_bytes(CONTENT.encode(encoding))
        assert is_utf8(tmp_path / "x.csv") is known
    assert not is_utf8(tmp_path / "none.csv")
