"""Whatever is in a file of texts, and whatever its name: texts, or one sentence that says what is wrong with it."""

import io
import json
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leco.data import load_data, read_texts
from leco.data.readers import READERS
from leco.errors import LecoError
from offline import rows

ROWS = [{"text": text, "label": label} for text, label in rows(30)]
DEEP = "[" * 100_000 + "]" * 100_000


def read_every_way(path):
    """Read a file as training data and as texts to classify; gives the messages of those that were refused."""
    messages = []
    for read in (lambda: load_data(str(path), log=str), lambda: list(read_texts(path, log=str))):
        try:
            read()
        except LecoError as error:
            messages.append(str(error))
    return messages


def jsonl(*changed):
    return "\n".join(map(json.dumps, ROWS)) + "\n" + "\n".join(changed)


CASES = {
    "deep.json": DEEP,
    "deep.jsonl": f'{{"text": {DEEP}}}',
    "digits.json": f"[{'9' * 5000}]",
    "digits.jsonl": jsonl(f'{{"text": "a", "label": {"9" * 5000}}}'),
    "infinite.jsonl": jsonl('{"text": "a", "label": 1e999}'),
    "nan.jsonl": jsonl('{"text": "a", "label": NaN}'),
    "half.jsonl": jsonl('{"text": "cut \\ud83d", "label": "positive"}'),
    "half-label.jsonl": jsonl('{"text": "a", "label": "\\udc00"}'),
    "half-column.jsonl": jsonl('{"\\udc00": "a"}'),
    "half.json": '[{"text": "\\ud83d", "label": 1}]',
    "object-label.jsonl": jsonl('{"text": "a", "label": {"a": 1}}'),
    "object-text.jsonl": jsonl('{"text": {"a": 1}, "label": "positive"}'),
    "list-text.jsonl": jsonl('{"text": ["a"], "label": "positive"}'),
    "nested-label.jsonl": jsonl('{"text": "a", "label": [[["x"]], {}]}'),
    "empty-object.jsonl": "{}\n{}",
    "bytes.csv": b"text,label\n\xff\xfe,1\n",
    "utf-16.csv": "text,label\na,1\n".encode("utf-16"),
    "latin-1.txt": "caf\xe9".encode("latin-1"),
    "zero.csv": b"text,label\n\x00,1\n",
    "quote.csv": 'text,label\n"a,1\n',
    "wide.tsv": "text\tlabel\n" + "\t" * 10**5,
    "two.csv": "text,text\na,b\n",
    "header.csv": "text,label\n",
    "nothing.csv": ",\n,\n",
    "empty.parquet": b"",
    "PAR1.parquet": b"PAR1" + bytes(100) + b"PAR1",
    "carriage.csv": "text,label\ra,1\rb,\r",
}


@pytest.mark.parametrize("name", CASES)
def test_known_cases(tmp_path, name):
    content = CASES[name]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    messages = read_every_way(tmp_path / name)
    assert messages
    assert all(f"'{name}'" in message and len(message) < 400 for message in messages)


def test_labels_of_thousands_of_digits(tmp_path):
    labels = ["9" * 5000, "8" * 5000, "7"]
    (tmp_path / "x.csv").write_text("text,label\n" + "".join(f"a {n},{labels[n % 3]}\n" for n in range(30)))
    assert load_data(str(tmp_path / "x.csv")).label_names == tuple(reversed(labels))


def test_the_line_of_half_a_character_is_named(tmp_path):
    for name in ("half.jsonl", "half-label.jsonl", "half-column.jsonl"):
        (tmp_path / name).write_text(CASES[name])
        for message in read_every_way(tmp_path / name):
            assert message == f"'{name}', line 31 is not valid JSON: it has half a character (a lone surrogate)."


NAMES = ["x" * 300, "x" * 300 + ".csv", "x" * 5000 + ".jsonl", "a/" * 3000, "a\0b.csv", "\0", "", "a" * 255 + "/b.csv"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:9]))
def test_names_that_no_file_has(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("leco.data.sources.hub_tables", lambda *_, **__: pytest.fail("the Hub was asked"))
    for read in (lambda: load_data(name), lambda: list(read_texts(name))):
        with pytest.raises(LecoError) as error:
            read()
        assert len(str(error.value)) < 700


def mutated(content):
    """Some bytes of a file changed, left out or put in."""
    spot = st.integers(0, len(content))
    return st.lists(st.tuples(spot, spot, st.binary(max_size=6)), max_size=4).map(lambda cuts: _with(content, cuts))


def _with(content, cuts):
    for start, size, put in cuts:
        content = content[:start] + put + content[start + size % 9 :]
    return content


def table_bytes(suffix):
    if suffix == ".parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(ROWS), sink)
        return sink.getvalue()
    if suffix in (".csv", ".tsv"):
        separator = "," if suffix == ".csv" else "\t"
        return "\n".join([f"text{separator}label", *(separator.join(row.values()) for row in ROWS)]).encode()
    return (json.dumps(ROWS) if suffix == ".json" else jsonl()).encode()


@pytest.mark.parametrize("suffix", [*READERS, ".txt"])
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_bytes(tmp_path_factory, suffix, data):
    content = data.draw(st.binary(max_size=200) | mutated(table_bytes(suffix)))
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    read_every_way(path)


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["a", "1", "2.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@settings(max_examples=80, deadline=None)
@given(table=st.lists(st.dictionaries(st.sampled_from(["text", "label", "text_b"]), CELLS) | CELLS, max_size=12))
@example(table=[{"text": "a", "label": label} for label in (float("inf"), -0.0, 10**30, True, None, [])])
def test_any_objects(tmp_path_factory, suffix, table):
    path = tmp_path_factory.getbasetemp() / f"objects{suffix}"
    path.write_text(json.dumps(table) if suffix == ".json" else "\n".join(map(json.dumps, table)))
    read_every_way(path)


def arrow(*columns):
    return pa.table([column for _, column in columns], names=[name for name, _ in columns])


TEXTS = ("text", pa.array([row["text"] for row in ROWS]))
NUMBER = len(ROWS)
PARQUET = {
    "two columns of one name": arrow(TEXTS, TEXTS),
    "binary": arrow(TEXTS, ("label", pa.array([b"\xff", b"a"] * (NUMBER // 2)))),
    "not UTF-8": arrow(("text", pa.array([b"\xff\xfe"] * NUMBER).view(pa.string())), ("label", pa.array([0, 1] * 15))),
    "times": arrow(TEXTS, ("label", pa.array([datetime(1, 1, 1), datetime(9999, 1, 1)] * 15, pa.timestamp("us")))),
    "times that are none": arrow(TEXTS, ("label", pa.array([2**62, 1] * 15).view(pa.timestamp("us")))),
    "decimals": arrow(TEXTS, ("label", pa.array([Decimal("1.5"), Decimal("2.5")] * 15))),
    "objects": arrow(TEXTS, ("label", pa.array([{"a": 1}, {"a": None}] * 15))),
    "lists of lists": arrow(TEXTS, ("label", pa.array([[["a"]], [[None]]] * 15))),
    "maps": arrow(TEXTS, ("label", pa.array([[("a", 1)], []] * 15, pa.map_(pa.string(), pa.int64())))),
    "names in a dictionary": arrow(TEXTS, ("label", pa.array(["a", "b"] * 15).dictionary_encode())),
    "nothing": arrow(TEXTS, ("label", pa.nulls(NUMBER))),
    "large numbers": arrow(TEXTS, ("label", pa.array([2**64 - 1, 0] * 15, pa.uint64()))),
    "not numbers": arrow(TEXTS, ("label", pa.array([float("nan"), float("inf")] * 15))),
    "no rows": arrow(("text", pa.array([], pa.string())), ("label", pa.array([], pa.string()))),
    "no columns": pa.table({}),
    "halves": arrow(("text", pa.array(["a", None] * 15)), ("label", pa.array([1, 2] * 15))),
}


@pytest.mark.parametrize("name", PARQUET)
def test_columns_of_any_type(tmp_path, name):
    pq.write_table(PARQUET[name], tmp_path / "x.parquet")
    for message in read_every_way(tmp_path / "x.parquet"):
        assert "x.parquet" in message
        assert len(message) < 400


@settings(max_examples=30, deadline=None)
@given(columns=st.lists(st.text(st.characters(exclude_categories=()), max_size=6), max_size=3), data=st.data())
def test_any_columns_that_a_user_names(tmp_path_factory, columns, data):
    path = tmp_path_factory.getbasetemp() / "columns.csv"
    path.write_bytes(table_bytes(".csv"))
    label = data.draw(st.sampled_from(["text", "label", "", "\ud800"]))
    with suppress(LecoError):
        load_data(str(path), text_columns=columns, label_column=label, log=str)
    with suppress(LecoError):
        list(read_texts(path, text_columns=columns, log=str))
