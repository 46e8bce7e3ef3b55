"""What separates cells, and whether there is a header: found where it can be known, asked for where it cannot."""

from pathlib import Path

import pytest

from leco.data import load_data
from leco.data.readers import read_table
from leco.errors import LecoError
from leco.settings import SourceOptions

ROWS = [["a film", "good"], ["it is, so", "bad"], ["on and; on", "good"]]


def write(path: Path, delimiter: str, header: tuple[str, ...] = ("text", "label")) -> Path:
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in [header, *ROWS] if row]
    path.write_text("".join(delimiter.join(row) + "\n" for row in quoted))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_the_delimiter_is_found(tmp_path: Path, name: str, delimiter: str) -> None:
    expected = dict(zip(("text", "label"), map(list, zip(*ROWS, strict=True)), strict=True))
    assert read_table(write(tmp_path / name, delimiter)).columns == expected
    named = SourceOptions(delimiter="tab" if delimiter == "\t" else delimiter)
    assert read_table(write(tmp_path / name, delimiter), named).columns == expected


@pytest.mark.parametrize("line", ["sep={}", "SEP={}", '"sep={}"', "\ufeffsep={}"])
@pytest.mark.parametrize("delimiter", [";", "\t", "~"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_for_excel_names_the_delimiter_and_is_no_row(
    tmp_path: Path, line: str, delimiter: str, end: str
) -> None:
    rows = write(tmp_path / "rows.csv", delimiter).read_text()
    (tmp_path / "x.csv").write_bytes((line.format(delimiter) + "\n" + rows).replace("\n", end).encode())
    for where in (None, SourceOptions(delimiter=delimiter)):
        table = read_table(tmp_path / "x.csv", where)
        assert table.columns == {"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}
        assert table.where(0) == "'x.csv', line 3"


def test_quotes_below_a_line_for_excel(tmp_path: Path) -> None:
    for name, texts in (("x.tsv", ['"a" film', '5" long']), ("y.tsv", ['"a, b"', '"c ""d"""'])):
        (tmp_path / name).write_text("sep=\t\nn\ttext\tlabel\n" + "".join(f"1\t{text}\tgood\n" for text in texts))
    assert read_table(tmp_path / "x.tsv").columns["text"] == ['"a" film', '5" long']
    assert read_table(tmp_path / "y.tsv").columns["text"] == ["a, b", 'c "d"']


@pytest.mark.parametrize("content", ["sep=;\n", "sep=;\ntext;label\n"])
def test_nothing_but_a_line_for_excel(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(LecoError, match=r"'x\.csv' has no rows"):
        read_table(tmp_path / "x.csv")


def test_one_column_has_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text\na; b\nc\n")
    assert read_table(tmp_path / "x.csv").columns == {"text": ["a; b", "c"]}


def test_tabs_in_csv_may_be_without_quoting(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('text\tlabel\n"a" film\tgood\n5" long\tbad\n')
    assert read_table(tmp_path / "x.csv").columns["text"] == ['"a" film', '5" long']


@pytest.mark.parametrize(
    ("content", "delimiter", "message"),
    [
        ("text,a;label|b;c\nx,y;z|w;v\n", None, "What separates the cells of 'x.csv'"),
        ("text;label\na;b\n", "ab", "delimiter must be one character, or tab, not 'ab'"),
        ("text;label\na;b\n", '"', "delimiter must be one character"),
    ],
)
def test_delimiters_that_are_none(tmp_path: Path, content: str, delimiter: str | None, message: str) -> None:
    (tmp_path / "x.csv").write_text(content.replace("text,a", "text;a"))
    if delimiter is None:
        (tmp_path / "x.csv").write_text("a b;c|d\ne f;g|h\n")
    with pytest.raises(LecoError, match=message):
        read_table(tmp_path / "x.csv", SourceOptions(delimiter=delimiter))


@pytest.mark.parametrize(
    "content",
    [
        "a fine film,good\nbad,bad\nso so,good\n",
        "1,a fine film\n0,bad\n",
        "nobody would say that it is so,x\nbad,y\n",
        f"{'a' * 70},x\nbad,y\n",
        "a film\nof which\n",
    ],
)
def test_a_first_line_that_may_be_a_row_is_asked_for(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(LecoError, match=r"Does the first line of 'x.csv' name its columns: .* header=False"):
        read_table(tmp_path / "x.csv")
    table = read_table(tmp_path / "x.csv", SourceOptions(header=False))
    assert len(table) == content.count("\n")
    assert list(table.columns) == ["1", "2"][: len(table.columns)]
    assert table.where(0) == "'x.csv', line 1"
    assert len(read_table(tmp_path / "x.csv", SourceOptions(header=True))) == len(table) - 1


@pytest.mark.parametrize(
    "content", ["v1,v2\nham,see you\n", "label,a long name of a column\n1,2\n", "0,1\na,b\n", "text,good\na,good\n"]
)
def test_names_of_columns_are_no_rows(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    assert len(read_table(tmp_path / "x.csv")) == 1


def test_a_file_without_a_header_is_trained_on(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("".join(f"a film of {row},{'good' if row % 2 else 'bad'}\n" for row in range(20)))
    data = load_data(str(path), header=False)
    assert (len(data.train), data.label_names, data.source.text_columns) == (16, ("bad", "good"), ("1",))
