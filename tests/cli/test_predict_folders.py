"""`leco predict` of folders: which inputs are, and what is wrong with what is given."""

import json

import pytest

from bulk.made import write_parts


@pytest.mark.parametrize(("flag", "value"), [("--engine", "local"), ("--workers", 2), ("--ray-address", "x:1")])
def test_settings_of_folders_beside_one_file(leco, fitted, reviews, flag, value):
    result = leco("predict", fitted, reviews, flag, value)
    assert (result.code, result.out) == (2, "")
    assert f"{flag} is for folders, which are answered part by part, and '" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("in", "Give --output, a folder for the answers of several files."),
        ("in in/a.parquet", "Give --output"),
        ("nothing/*.parquet --output out", "There are no parts in 'nothing/*.parquet'."),
        (
            "empty --output out",
            "There are no parts in 'empty'. Parts are files that end with .parquet, .csv, .tsv",
        ),
        ("in missing --output out", "'missing' does not exist."),
        ("in mixed/notes.md --output out", "'notes.md' has an unsupported suffix."),
        ("mixed --output out", "The parts are written in several ways: a.csv, b.jsonl."),
        ("in --output out --workers 0", "--workers must be at least 1, not 0."),
        ("in --output out --engine spark", "--engine must be one of local, ray, not 'spark'."),
        ("in --output out --format xlsx", "--format must be one of parquet, csv, tsv, jsonl, not 'xlsx'."),
        ("in --output out --text-column words", "has no column 'words'."),
        ("in --output out --text-column id --text-column text", "pairs of texts, but the model was trained on single"),
        ("in --output out --criterion static:layer=9", "must be at most 3"),
        ("in --output out --monitor watch.json", "Nothing is promised of this model"),
        ("in memory://x --output out", "'memory://x' does not exist."),
    ],
)
def test_mistakes(leco, fitted, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_parts(tmp_path / "in", names=["a"])
    write_parts(tmp_path / "mixed", "csv", ["a"])
    write_parts(tmp_path / "mixed", "jsonl", ["b"])
    (tmp_path / "mixed" / "notes.md").touch()
    (tmp_path / "empty").mkdir()
    result = leco("predict", fitted, *arguments.split())
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert not (tmp_path / "out").exists() or not [*(tmp_path / "out").iterdir()]


def test_what_is_printed(leco, fitted, tmp_path):
    write_parts(tmp_path / "in", "csv", ["a", "b"])
    first = leco("predict", fitted, tmp_path / "in", "--output", tmp_path / "out", "--workers", 1)
    assert first.code == 0, first.err
    assert f"In {tmp_path / 'out'}: 2 parts with 60 rows and their answers (60 of them now, " in first.out
    assert "4 rows have no text, and 2 texts were cut." in first.out
    second = leco("predict", fitted, tmp_path / "in", "--output", tmp_path / "out", "--json")
    said = json.loads(second.out)
    assert (said["output"], said["parts"], said["rows"], said["answered"]) == (str(tmp_path / "out"), 2, 60, 0)


def test_answers_are_watched(leco, fitted, tmp_path):
    write_parts(tmp_path / "in", names=["a", "b"])
    watch = ["--monitor", tmp_path / "watch.json", "--monitor-bound", 0.5, "--monitor-share", 1]
    assert leco("predict", fitted, tmp_path / "in", "--output", tmp_path / "out", "--workers", 1, *watch).code == 0
    assert json.loads((tmp_path / "watch.json").read_text())["texts"] == 56
