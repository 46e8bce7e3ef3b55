"""Folders of parts: each gets a part with its rows and their answers, and nothing else is there."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.made import WRITE, assert_answered, frame, names_in, predict, read, texts, write_parts
from leco import LecoError, load
from leco.bulk.parts import find_parts
from leco.bulk.reading import BYTES, WINDOW, parquet_windows
from leco.problems import PROBLEMS, REGRESSION
from leco.settings import SourceOptions
from tiny import sentences, text_model


@pytest.mark.parametrize("kind", WRITE)
def test_each_part_has_its_rows_and_their_answers(fitted, tmp_path, kind):
    write_parts(tmp_path / "in", kind)
    done = predict(fitted, tmp_path / "in", tmp_path / "out")
    assert (done.parts, done.rows, done.answered, done.failed) == (4, 120, 120, {})
    assert (done.without_text, done.truncated, done.renamed) == (8, 4, {})
    assert_answered(tmp_path / "out", tmp_path / "in", fitted)


def test_processes_share_the_parts_and_answer_as_one(leco, fitted, tmp_path):
    write_parts(tmp_path / "in")
    flags = ["--output", tmp_path / "out", "--workers", 2, "--json"]
    result = leco("predict", fitted, tmp_path / "in", *flags)
    assert result.code == 0, result.err
    assert json.loads(result.out)["rows"] == 120
    assert_answered(tmp_path / "out", tmp_path / "in", fitted)


def test_names_and_columns_that_are_taken(fitted, tmp_path):
    """Those of a file of answers of `leco predict`; a part's own types and notes stay."""
    table = frame().assign(label="x", score=1, reason=pd.Categorical(["a", "b"] * 15)).set_index("id")
    table["when"], table["list"] = pd.Timestamp("2024-01-01", tz="UTC"), [[1, None]] * 30
    (tmp_path / "in").mkdir()
    table.to_parquet(tmp_path / "in" / "a.parquet", row_group_size=7)
    done = predict(fitted, str(tmp_path / "in"), str(tmp_path / "out"), scores="all")
    assert done.renamed == {"label": "predicted_label", "score": "predicted_score", "reason": "predicted_reason"}
    before, after = (pq.read_schema(tmp_path / one / "a.parquet") for one in ("in", "out"))
    assert [after.field(name) for name in before.names] == [*before]
    scores = ["score_negative", "score_positive"]
    added = ["predicted_label", "predicted_score", *scores, "exit_layer", "truncated", "predicted_reason"]
    assert after.names == [*before.names, *added]
    answered = pd.read_parquet(tmp_path / "out" / "a.parquet")
    given = pd.read_parquet(tmp_path / "in" / "a.parquet")
    pd.testing.assert_frame_equal(answered[given.columns], given)
    assert np.allclose(answered[scores].dropna().sum(axis=1), 1)


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "csv.gz"])
def test_parts_without_rows(fitted, tmp_path, kind):
    """Beside one with rows, and alone."""
    write_parts(tmp_path / "in", kind, ["b"])
    for folder in ("in", "none"):
        (tmp_path / folder).mkdir(exist_ok=True)
        WRITE[kind](frame()[:0].astype({"text": object}), tmp_path / folder / f"a.{kind}")
    if kind == "parquet":  # an empty column of pandas has no type
        for folder in ("in", "none"):
            pq.write_table(pq.read_table(tmp_path / "in" / "b.parquet")[:0], tmp_path / folder / "a.parquet")
    done = predict(fitted, tmp_path / "in", tmp_path / "out")
    assert (done.parts, done.rows, done.failed) == (2, 30, {})
    if kind != "jsonl":
        assert list(read(tmp_path / "out" / f"a.{kind}")) == list(read(tmp_path / "out" / f"b.{kind}"))
    assert predict(fitted, tmp_path / "none", tmp_path / "out of none").rows == 0
    assert names_in(tmp_path / "out of none") == [f"a.{kind}"]


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "tsv"])
def test_a_part_without_rows_has_its_columns_alone_and_in_their_order(fitted, tmp_path, kind):
    (tmp_path / "in").mkdir()
    WRITE[kind](frame().astype({"text": "str"})[["text", "id"]][:0], tmp_path / "in" / f"a.{kind}")
    done = predict(fitted, tmp_path / "in", tmp_path / "out")
    assert (done.parts, done.rows, done.failed) == (1, 0, {})
    answers = ["label", "score", "exit_layer", "truncated", "reason"]
    assert list(read(tmp_path / "out" / f"a.{kind}")) == ["text", "id", *answers]
    assert predict(fitted, tmp_path / "in", tmp_path / "out").parts == 1


def test_what_names_no_columns_has_those_of_the_answers(fitted, tmp_path):
    for kind, content in (("csv", ""), ("csv", "\n \n"), ("jsonl", "\n")):
        folder = tmp_path / f"in {kind} {len(content)}"
        folder.mkdir()
        (folder / f"a.{kind}").write_text(content)
        assert predict(fitted, folder, folder / "out").failed == {}
        expected = "label,score,exit_layer,truncated,reason\n" if kind == "csv" else ""
        assert (folder / "out" / f"a.{kind}").read_text() == expected


@pytest.mark.parametrize("kind", ["csv.gz", "jsonl.gz"])
def test_packed_parts_have_the_same_bytes_whenever_they_are_written(fitted, tmp_path, kind, monkeypatch):
    write_parts(tmp_path / "in", kind, ["a"])
    written = []
    for moment in (1e9, 2e9):
        monkeypatch.setattr("gzip.time", SimpleNamespace(time=lambda moment=moment: moment))
        predict(fitted, tmp_path / "in", tmp_path / str(moment))
        written.append((tmp_path / str(moment) / f"a.{kind}").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("problem_type", PROBLEMS)
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("size", [1, 2], ids=["texts", "pairs"])
def test_every_kind_of_problem(tokenizer, tmp_path, problem_type, kind, size):
    """Rows of several windows, with and without texts, in the order given."""
    model = text_model(tokenizer, layers=2, problem_type=problem_type, outputs=1 if problem_type == REGRESSION else 3)
    model.save_pretrained(tmp_path / "model")
    given = [text for text in sentences(60) if isinstance(text, tuple) == (size == 2)]
    table = pd.DataFrame(given, columns=["a", "b"][:size])
    table.loc[3, "a"] = None
    (tmp_path / "in").mkdir()
    WRITE[kind](table, tmp_path / "in" / f"x.{kind}")
    names = SourceOptions(text_columns=("a", "b")[:size])
    predict(tmp_path / "model", tmp_path / "in", tmp_path / "out", source=names, scores="all", batch_size=7)
    rows = read(tmp_path / "out" / f"x.{kind}").to_dict("records")
    parts = [[row[name] for name in ("a", "b")[:size]] for row in rows]
    there = [row for row, cells in enumerate(parts) if all(cell and cell.strip() for cell in cells)]
    texts = [tuple(parts[row]) if size == 2 else parts[row][0] for row in there]
    for row, answer in zip(there, load(tmp_path / "model", device="cpu").predict(texts), strict=True):
        label, found = answer.label, rows[row]["label"]
        assert list(found) == list(label) if isinstance(label, tuple) else found == pytest.approx(label, abs=1e-5)
        scores = (
            rows[row]["scores"] if kind == "jsonl" else {name: rows[row][f"score_{name}"] for name in answer.scores}
        )
        assert scores == pytest.approx(answer.scores, abs=1e-5)
        assert rows[row]["exit_layer"] == answer.exit_layer
    assert {rows[row]["label"] for row in range(len(rows)) if row not in there} == {None}


def test_empty_texts_may_be_answered(fitted, tmp_path):
    write_parts(tmp_path / "in", names=["a"])
    predict(fitted, tmp_path / "in", tmp_path / "out", empty="answer", criterion="static:layer=2")
    answered = read(tmp_path / "out" / "a.parquet")
    expected = load(fitted).predict([text or "" for text in texts()], "static:layer=2")
    assert list(answered["label"]) == [answer.label for answer in expected]
    assert {*answered["exit_layer"]} == {2}
    assert [bool(one) for one in answered["empty"]] == [not (text or "").strip() for text in texts()]
    assert "reason" not in answered


def test_what_inputs_may_be(fitted, tmp_path, monkeypatch):
    """Files, folders and patterns, whose parts go by their places below the folder that all have in common."""
    monkeypatch.chdir(tmp_path)
    write_parts(tmp_path / "in" / "one")
    write_parts(tmp_path / "in" / "two", names=["part-0"])
    (tmp_path / "in" / "one" / "_SUCCESS").touch()
    (tmp_path / "in" / "one" / "notes.md").touch()

    def found(*inputs):
        parts, others = find_parts(inputs, "out")
        return [part.name for part in parts], others

    assert found("in/one/part-0.parquet", "in/two") == (["one/part-0.parquet", "two/part-0.parquet"], [])
    assert found("in/*/part*.parquet") == (["one/part-0.parquet", "two/part-0.parquet"], [])
    assert found("in/one/y=*") == (["y=2024/m=1/ünï çödé.parquet", "y=2024/part-0.parquet"], [])
    assert found("in/two/part-0.parquet", "in/two", f"file://{tmp_path}/in/two/") == (["part-0.parquet"], [])
    assert len(found("in/one")[0]) == 4
    assert found("in/one")[1] == ["notes.md"]


def test_an_output_among_the_inputs_is_none_of_them(fitted, tmp_path):
    write_parts(tmp_path / "in")
    for _ in range(2):
        done = predict(fitted, tmp_path / "in", tmp_path / "in" / "out")
        assert done.parts == 4
    assert len(names_in(tmp_path / "in")) == 8


def test_addresses(fitted):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.store.clear()
    for seed, name in enumerate(("a", "x/b")):
        with memory.open(f"memory://in/{name}.parquet", "wb") as file:
            frame(seed=seed).to_parquet(file)
        with memory.open(f"memory://packed/{name}.csv.gz", "wb") as file:
            frame(seed=seed).to_csv(file, compression="gzip")
    for folder, suffix in (("in", "parquet"), ("packed", "csv.gz")):
        assert predict(fitted, f"memory://{folder}", f"memory://out-{folder}").rows == 60
        again = predict(fitted, f"memory://{folder}/**/*.{suffix}", f"memory://out-{folder}/")
        assert (again.parts, again.answered) == (2, 0)
        assert not [path for path in memory.find(f"/out-{folder}") if ".leco-" in path]
    with memory.open("memory://out-in/x/b.parquet", "rb") as file:
        assert list(pd.read_parquet(file)["id"]) == list(range(30))
    with pytest.raises(LecoError, match="workers must be 1"):
        predict(fitted, "memory://in", "memory://out", workers=2)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://bucket/in", "'s3://bucket/in' needs a package that is not installed: Install s3fs"),
        ("nowhere://in", "'nowhere://in' cannot be opened: Protocol not known: nowhere"),
        ("memory://nothing", "'memory://nothing' does not exist"),
    ],
)
def test_addresses_that_cannot_be_had(fitted, tmp_path, address, message):
    with pytest.raises(LecoError, match=message):
        predict(fitted, address, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_row_group_is_never_whole_in_memory(tmp_path):
    table = pa.table({"text": ["a"] * (3 * WINDOW)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=len(table))
    large = pa.table({"text": ["a" * 2**18] * 128})
    pq.write_table(large, tmp_path / "y.parquet")
    parts, _ = find_parts([str(tmp_path)], str(tmp_path / "out"))
    assert [len(window) for window in parquet_windows(parts[0])] == [WINDOW] * 3
    windows = [window.nbytes for window in parquet_windows(parts[1])]
    assert max(windows) <= BYTES + 256 * 2**18
