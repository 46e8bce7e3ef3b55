"""`leco predict`: one answer for each row, as lines of JSON or as a file with all that the rows hold."""

import json
import os
import pty
import subprocess
import sys
import tracemalloc

import pandas as pd
import pytest

from leco import load
from leco.data.writers import GrowingTable
from offline import write_csv

TABLE = [("1", "it is good", "x"), ("2", "", "y"), ("3", "so bad", "z"), ("4", " ", "")]
HEADER = ("id", "text", "label")


@pytest.fixture
def table(tmp_path):
    """A table with gold labels, in which two rows have no text."""
    return write_csv(tmp_path / "table.csv", TABLE, HEADER)


def read(path):
    """A file of answers as objects, in which None is a missing value."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, keep_default_na=False, dtype=str)
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_a_row_without_a_text_has_its_own_answer(leco, fitted, tmp_path, suffix):
    frame, path = pd.DataFrame(TABLE, columns=HEADER), tmp_path / f"x{suffix}"
    if suffix in (".csv", ".tsv"):
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    elif suffix == ".parquet":
        frame.replace("", None).to_parquet(path)
    else:
        frame.replace("", None).to_json(path, orient="records", lines=suffix == ".jsonl")
    result = leco("predict", fitted, path)
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["label"] for answer in answers] == ["positive", None, "negative", None]
    assert answers[1] == {"label": None, "score": None, "exit_layer": None, "reason": "text is empty"}
    assert "2 of 4 rows have no text: their label is null (--empty)." in result.err
    answered = json.loads(leco("predict", fitted, path, "--empty", "answer", "--json", "--batch-size", 3).out)[
        "answers"
    ]
    expected = load(fitted).predict([text for _, text, _ in TABLE])
    assert [answer["label"] for answer in answered] == [answer.label for answer in expected]
    assert [answer.get("empty") for answer in answered] == [None, True, None, True]


def test_all_scores(leco, fitted, table):
    answers = [json.loads(line) for line in leco("predict", fitted, table, "--scores", "all").out.splitlines()]
    expected = load(fitted).predict(["it is good", "so bad"])
    assert [answer["scores"] for answer in answers[::2]] == [pytest.approx(answer.scores) for answer in expected]
    assert "scores" not in json.loads(leco("predict", fitted, table).out.splitlines()[0])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_file_of_answers_has_all_that_the_rows_hold(leco, fitted, table, tmp_path, suffix):
    output = tmp_path / "new folder" / f"answers{suffix}"
    result = leco("predict", fitted, table, "--output", output)
    assert (result.code, "4 rows with their answers" in result.out) == (0, True), result.err
    assert "have a column 'label' already: the answers' is 'predicted_label'" in result.out
    answers = read(output)
    assert list(answers[0])[:6] == [*HEADER, "predicted_label", "score", "exit_layer"]
    assert [answer["id"] for answer in answers] == ["1", "2", "3", "4"]
    assert [answer["label"] for answer in answers] == ["x", "y", "z", ""]
    nothing = "" if suffix == ".csv" else None
    assert [answer["predicted_label"] for answer in answers] == ["positive", nothing, "negative", nothing]
    again = leco("predict", fitted, table, "--output", output, "--scores", "all", "--json")
    assert json.loads(again.out) == {
        "output": str(output),
        "rows": 4,
        "without_text": 2,
        "renamed": {"label": "predicted_label"},
    }
    first = read(output)[0]
    scores = (
        first["scores"] if suffix == ".jsonl" else {name: first[f"score_{name}"] for name in ("negative", "positive")}
    )
    assert sum(map(float, scores.values())) == pytest.approx(1)


def test_the_answers_of_lines_and_of_answers(leco, fitted, tmp_path):
    (tmp_path / "x.txt").write_text("it is good\n\nit is bad\n")
    leco("predict", fitted, tmp_path / "x.txt", "--output", tmp_path / "a.csv")
    leco("predict", fitted, tmp_path / "a.csv", "--output", tmp_path / "b.csv")
    assert [answer["text"] for answer in read(tmp_path / "a.csv")] == ["it is good", "", "it is bad"]
    names = ["label", "score", "exit_layer", "reason"]
    assert list(read(tmp_path / "b.csv")[0]) == ["text", *names, *(f"predicted_{name}" for name in names)]
    result = leco("predict", fitted, tmp_path / "b.csv", "--output", tmp_path / "b.csv")
    assert (result.code, "is the file of the texts" in result.err) == (2, True)


@pytest.mark.parametrize("name", ["foreign.csv", "foreign.jsonl", "foreign.parquet", "x.txt", "x", "folder.csv"])
def test_nothing_else_is_overwritten(leco, fitted, table, tmp_path, name):
    path = tmp_path / name
    if name == "folder.csv":
        path.mkdir()
    elif name == "foreign.parquet":
        pd.DataFrame({"text": ["a"]}).to_parquet(path)
    elif name.startswith("foreign"):
        path.write_text("text\nmine\n")
    before = path.read_bytes() if path.is_file() else None
    result = leco("predict", fitted, table, "--output", path)
    assert result.code == 2
    assert "--output" in result.err
    assert (path.read_bytes() if path.is_file() else None) == before


def test_what_is_wrong_in_the_middle_leaves_no_file(leco, fitted, tmp_path):
    (tmp_path / "x.csv").write_text("text,n\na,1\nb\n")
    (tmp_path / "x.jsonl").write_text('{"text": "a", "n": 1}\n{"text": "a", "n": ["b"]}\n')
    for name, output, message in (
        ("x.csv", "a.csv", "line 3 has 1 cells"),
        ("x.jsonl", "a.parquet", "The column 'n' has values of several types"),
    ):
        result = leco("predict", fitted, tmp_path / name, "--output", tmp_path / "out" / output)
        assert (result.code, message in result.err) == (2, True), result.err
        assert not list((tmp_path / "out").iterdir())


def test_lines_of_json_need_not_have_the_same_names(leco, fitted, tmp_path):
    """Also over several pieces, in which types change and columns come and go."""
    objects = [{"text": "it is good"}, {"text": "a", "n": 1}, *[{"text": "so bad", "n": 1.5, "label": "x"}] * 2000]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, objects)))
    leco("predict", fitted, tmp_path / "x.jsonl", "--output", tmp_path / "a.parquet", "--batch-size", 64)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame) == ["text", "n", "label", "predicted_label", "score", "exit_layer"]
    assert frame["n"].tolist()[1:4] == [1, 1.5, 1.5]
    assert frame["predicted_label"].tolist() == ["positive", frame["predicted_label"][1], *["negative"] * 2000]


def test_what_is_kept_in_memory_does_not_grow_with_the_texts(tmp_path):
    peaks = []
    for pieces in (4, 40):
        with (tmp_path / "spool").open("w+b") as file:
            table = GrowingTable(file)
            tracemalloc.start()
            for piece in range(pieces):
                table.add({"text": [f"{piece} {row} " * 9 for row in range(1024)]}, {"label": ["x"] * 1024})
            for suffix in (".csv", ".jsonl"):
                table.write(tmp_path / f"x{suffix}")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert len(read(tmp_path / "x.csv")) == pieces * 1024
    assert peaks[1] < 1.5 * peaks[0]


def test_a_bar_on_a_terminal_alone(fitted, tmp_path):
    pd.DataFrame({"text": ["it is good"] * 300}).to_parquet(tmp_path / "x.parquet")
    command = [sys.executable, "-c", "from leco.cli import main; main()", "predict", str(fitted), "x.parquet"]
    main, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with (tmp_path / "out").open("w") as out:
        done = subprocess.Popen(command, stdout=out, stderr=terminal, cwd=tmp_path, env=environment)
        os.close(terminal)
        shown = b""
        while True:
            try:
                shown += os.read(main, 4096)
            except OSError:  # the other end is closed
                break
    os.close(main)
    assert done.wait() == 0
    assert "/300" in shown.decode()
    assert len((tmp_path / "out").read_text().splitlines()) == 300
