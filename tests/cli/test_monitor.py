"""`leco predict --monitor`: answers compared with full depth while they are given."""

import json

import pytest

from offline import SHORT, rows, write_csv


@pytest.fixture
def table(tmp_path):
    """Texts alone."""
    return write_csv(tmp_path / "texts.csv", [(text,) for text, _ in rows(60, seed=7)], ["text"])


def test_what_is_compared_is_counted_in_the_file_over_runs(leco, fitted, table, tmp_path):
    watch = tmp_path / "watch.json"
    flags = "--monitor", watch, "--monitor-bound", 0.9, "--monitor-share", 1
    plain, first = leco("predict", fitted, table), leco("predict", fitted, table, *flags)
    assert first.out == plain.out
    assert "Nothing contradicts the promised 90 %:" in first.err
    assert "of 60 texts that were checked disagree with full depth" in first.err
    again = leco("predict", fitted, table, *flags, "--json")
    assert len(json.loads(again.out)["answers"]) == 60
    seen = json.loads(watch.read_text())
    assert (seen["texts"], seen["checked"], seen["alarm"]) == (120, 120, None)


def test_the_alarm_is_said_and_all_run_at_full_depth_where_asked(leco, fitted, table, tmp_path):
    watch = tmp_path / "watch.json"
    watch.write_text(
        json.dumps({"bound": 0.1, "alpha": 0.05, "texts": 99, "checked": 99, "disagreements": 90.0, "alarm": None})
    )
    flags = "--monitor", watch, "--monitor-bound", 0.1, "--monitor-share", 1, "--fall-back"
    result = leco("predict", fitted, table, *flags)
    assert result.err.count("The promised 10 % is contradicted: 90") == 1
    result = leco("predict", fitted, table, *flags)
    assert result.err.count("The promised 10 % is contradicted: 90") == 1, "by what was seen before"
    assert {json.loads(line)["exit_layer"] for line in result.out.splitlines()} == {3}


def test_an_alarm_is_said_once(leco, fitted, table, tmp_path):
    flags = "--monitor-bound", 0.001, "--monitor-share", 1, "--criterion", "static:layer=2"
    result = leco("predict", fitted, table, "--monitor", tmp_path / "watch.json", *flags)
    assert json.loads((tmp_path / "watch.json").read_text())["alarm"]
    assert (result.code, result.err.count("The promised 0.1 % is contradicted")) == (0, 1)


def test_what_a_certificate_promises_is_watched(leco, encoder_folder, reviews, tmp_path):
    model, new = tmp_path / "model", write_csv(tmp_path / "new.csv", rows(400, seed=9))
    assert leco("fit", "--model", encoder_folder, "--data", reviews, "--output", model, *SHORT).code == 0
    result = leco("calibrate", model, "--data", new, "--max-drop", 0.1, "--json")
    promised = json.loads(result.out)["disagreement"]
    assert 0 < promised < 1
    flags = "--monitor", tmp_path / "watch.json", "--monitor-share", 0.5
    result = leco("predict", model, new, *flags)
    assert "Nothing contradicts the promised" in result.err
    assert json.loads((tmp_path / "watch.json").read_text())["bound"] == promised
    result = leco("predict", model, new, *flags, "--criterion", "static:layer=1")
    assert (result.code, "The certificate does not hold" in result.err) == (2, True)


@pytest.mark.parametrize("flag", ["--fall-back", "--monitor-share=0.01", "--monitor-bound=0.1", "--monitor-alpha=0.05"])
def test_settings_of_a_monitor_that_there_is_not_are_refused(leco, fitted, table, tmp_path, flag):
    folder = table.parent / "folder"
    folder.mkdir()
    for command in (["predict", fitted, table], ["predict", fitted, folder, "--output", tmp_path], ["serve", fitted]):
        result = leco(*command, flag)
        assert (result.code, result.out) == (2, "")
        name = flag.partition("=")[0]
        assert result.err == f"error: {name} is for a monitor, and there is none: give --monitor, a file.\n"
    assert leco("predict", fitted, table, "--no-fall-back").code == 0


def test_what_cannot_be_watched_is_refused(leco, fitted, table, tmp_path):
    watch = tmp_path / "watch.json"
    result = leco("predict", fitted, table, "--monitor", watch)
    assert result.code == 2
    assert "Nothing is promised of this model: run 'leco calibrate', or give --monitor-bound." in result.err
    for flag, value in (("--monitor-share", 0), ("--monitor-bound", 1.5), ("--monitor-alpha", 0.7)):
        result = leco("predict", fitted, table, "--monitor", watch, flag, value)
        assert (result.code, flag in result.err) == (2, True)
    result = leco("predict", fitted, table, "--monitor", watch, "--monitor-bound", 1)
    assert (result.code, "--monitor-bound must be below 1, not 1.0. Share of texts" in result.err) == (2, True)
    watch.write_text("not ours")
    assert "is not valid JSON" in leco("predict", fitted, table, "--monitor", watch, "--monitor-bound", 0.1).err
    assert watch.read_text() == "not ours"
