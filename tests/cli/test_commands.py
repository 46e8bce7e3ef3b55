"""The commands, each as a user runs it, on a tiny encoder and a task of two words."""

import io
import json
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from transformers import AutoModelForSequenceClassification

from leco.cli import app
from leco.data import load_data
from leco.evaluation import applicable_criteria
from leco.model import load_model
from offline import SHORT, rows, write_csv

COMMANDS = [command.name for command in app.registered_commands]
EVALUATION = {
    "exit_scores",
    "avg",
    "best",
    "full_depth_score",
    "criterion",
    "score",
    "speedup",
    "speedup_factor",
    "mean_exit_layer",
    "architectures",
}


def give_stdin(monkeypatch, text):
    stdin = SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stdin)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_and_json(leco, command):
    result = leco(command, "--help")
    assert result.code == 0
    assert f"Example: {'echo' if command == 'predict' else f'leco {command}'}" in result.out
    assert "--json" in result.out


def test_all_commands_are_there():
    assert {"fit", "search", "train", "evaluate", "predict", "demo"} <= set(COMMANDS)


def test_version(leco):
    result = leco("--version")
    assert (result.code or 0, result.out) == (0, f"leco {version('leco')}\n")


def test_json_is_all_that_is_on_stdout(encoder_folder, reviews, tmp_path):
    """In a process of its own, where libraries may print what they like."""
    flags = ["--model", encoder_folder, "--data", reviews, "--output", tmp_path / "out", *SHORT, "--json"]
    code = "from leco.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "fit", *map(str, flags)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert set(results) >= EVALUATION
    assert set(results["criterion"]) == {"name", "tau", "patience"}
    assert len(results["exit_scores"]) == len(results["architectures"]) == 3
    assert results["best"] > 0.9, "the task is easy, and the last exits learn it"
    assert "training epoch 3/3: dev AVG" in done.stderr
    assert "\n\n" not in done.stderr, "no bars where there is no terminal"


def test_fit_ends_with_the_next_commands_and_does_nothing_twice(leco, fitted, encoder_folder, reviews):
    before = {path: path.stat().st_mtime_ns for path in fitted.iterdir()}
    flags = ["--model", encoder_folder, "--data", reviews, "--output", fitted, *SHORT]
    first, second = leco("fit", *flags), leco("fit", *flags, "--json")
    assert f"leco predict {fitted}" in first.out
    assert f"leco evaluate {fitted} --data {reviews}" in first.out
    assert "Preset: sampling. Settings: " in (fitted / "README.md").read_text()
    assert "test texts, by a model of the preset sampling" in " ".join(first.out.split())
    assert json.loads(second.out) == json.loads((fitted / "results.json").read_text())
    assert before == {path: path.stat().st_mtime_ns for path in fitted.iterdir()}


def test_what_fit_saves_is_a_transformers_model(fitted):
    model = AutoModelForSequenceClassification.from_pretrained(fitted)
    assert model.config.id2label == {0: "negative", 1: "positive"}
    assert model.config.exit_criterion["name"] == "cobee"


def test_search_then_train_then_evaluate(leco, encoder_folder, reviews, tmp_path):
    common = ["--model", encoder_folder, "--data", reviews]
    found = leco("search", *common, "--output", tmp_path / "search", "--search-epochs", 1, "--json")
    architectures = json.loads(found.out)["architectures"]
    file = tmp_path / "search" / "architectures.json"
    assert architectures == json.loads(file.read_text())
    assert not (tmp_path / "search" / "work").exists()

    again = leco("search", *common, "--output", tmp_path / "search", "--search-epochs", 1)
    assert "search epoch" not in again.err, "it is not searched anew"
    assert f"--exits {file}" in again.out

    flags = ["--exits", file, "--epochs", 1, "--criterion", "cobee", "--output", tmp_path / "model"]
    trained = leco("train", *common, *flags)
    assert f"leco evaluate {tmp_path / 'model'} --data {reviews}" in trained.out
    assert json.loads(leco("train", *common, *flags, "--json").out)["criterion"]["name"] == "cobee"

    model, flags = tmp_path / "model", ["--data", reviews, "--repeats", 1, "--timed-texts", 3]
    results = json.loads(leco("evaluate", model, *flags, "--json").out)
    assert set(results) >= EVALUATION
    assert results["architectures"] == architectures
    shown = leco("evaluate", model, *flags, "--criterion", "patience").out
    assert f"leco predict {model}" in shown
    assert "by a model of the preset sampling" in " ".join(shown.split())
    assert "(3 texts, once)" in " ".join(shown.split())
    fixed = leco("evaluate", model, *flags, "--criterion", "static:layer=2", "--json")
    assert json.loads(fixed.out)["exit_layer_counts"] == [0, 24, 0]


def test_a_strategy_that_brings_its_exits_needs_no_search(leco, encoder_folder, reviews, tmp_path, monkeypatch):
    flags = ["--model", encoder_folder, "--data", reviews, "--output", tmp_path / "model", *SHORT]
    result = leco("fit", *flags, "--strategy", "global-past-future", "--json")
    assert json.loads(result.out)["best"] > 0.9
    assert "search epoch" not in result.err
    give_stdin(monkeypatch, "a film that is good\nit is so bad\n")
    answers = [json.loads(line) for line in leco("predict", tmp_path / "model").out.splitlines()]
    assert [answer["label"] for answer in answers] == ["positive", "negative"]
    named = leco("fit", *flags, "--strategy", "global-past-future", "--exits", "past-future")
    assert named.code == 0
    assert "training epoch" not in named.err, "it is the same run"


def test_predict_answers_each_line_of_stdin(leco, fitted, monkeypatch):
    give_stdin(monkeypatch, "a film that is good\n\nit is so bad\n")
    result = leco("predict", fitted)
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["label"] for answer in answers] == ["positive", None, "negative"]
    assert all(0.5 <= answer["score"] <= 1 and 1 <= answer["exit_layer"] <= 3 for answer in answers[::2])
    give_stdin(monkeypatch, "a film that is good\n\nit is so bad\n")
    assert json.loads(leco("predict", fitted, "--json").out) == {"answers": answers}


def test_predict_needs_a_text(leco, fitted, monkeypatch):
    give_stdin(monkeypatch, "")
    result = leco("predict", fitted)
    assert (result.code, result.out) == (2, "")
    assert "error: 'standard input' has no texts." in result.err


def test_predict_reads_a_column_and_no_pair_of_single_texts(leco, fitted, tmp_path):
    table = write_csv(tmp_path / "x.csv", [("1", "so good", "it is fine")], ("id", "what", "why"))
    one = leco("predict", fitted, table, "--text-column", "what", "--batch-size", 4)
    assert json.loads(one.out)["label"] == "positive"
    two = leco("predict", fitted, table, "--text-column", "what", "--text-column", "why")
    assert (two.code, two.out) == (2, "")
    assert "pairs of texts, but the model was trained on single texts" in two.err


def test_long_texts_are_cut_with_one_line_that_counts_them(leco, encoder_folder, tmp_path):
    """The encoder takes 24 tokens."""
    long = [(f"{text} {'film ' * 30}" if number < 7 else text, label) for number, (text, label) in enumerate(rows(60))]
    data = write_csv(tmp_path / "x.csv", long)
    flags = ["--data", data, "--repeats", 1, "--timed-texts", 2]
    model = ["--model", encoder_folder, "--exits", "linear", "--epochs", 1, "--output", tmp_path / "out"]
    result = leco("fit", *model, *flags)
    assert result.code == 0
    assert result.err.count("truncated") == 1
    assert "7 of 60 texts are longer than 24 tokens and are truncated (--max-length)." in result.err
    predicted = leco("predict", tmp_path / "out", data)
    assert (predicted.code, predicted.err.count("7 of 60 texts are longer than 24 tokens")) == (0, 1)
    assert leco("evaluate", tmp_path / "out", *flags).err.count("truncated") == 1


def test_demo_is_fit_on_what_comes_with_the_package(leco, encoder_folder, reviews, tmp_path, monkeypatch):
    monkeypatch.setattr("leco.model.pretrained.minilm_folder", lambda: encoder_folder)
    monkeypatch.setattr("leco.data.sources.DEMOS", {"rotten_tomatoes": lambda seed: load_data(str(reviews))})
    result = leco("demo", "--output", tmp_path / "demo", "--json")
    assert result.code == 0, result.err
    assert set(json.loads(result.out)) >= EVALUATION


BRIEFLY = ["--epochs", 1, "--exits", "linear"]


def test_the_criterion_is_chosen_among_all_and_that_is_shown(leco, tmp_path, encoder_folder, reviews):
    out = tmp_path / "out"
    flags = ["--model", encoder_folder, "--data", reviews, "--output", out, *BRIEFLY]
    printed = leco("train", *flags).out
    assert printed == leco("train", *flags).out, "also where the run is finished"
    contest = json.loads((out / "contest.json").read_text())
    assert {entry["criterion"]["name"] for entry in contest["entries"]} == set(applicable_criteria(load_model(out)))
    lines = printed[printed.index("Criteria on ") :].splitlines()
    for entry in contest["entries"]:
        (line,) = [line for line in lines if line.split()[:1] == [entry["criterion"]["name"]]]
        assert line.rstrip().endswith("chosen") == (entry["criterion"] == contest["winner"])
        assert f"{entry['layers_saved']:.1%}" in line
    assert json.loads((out / "config.json").read_text())["exit_criterion"] == contest["winner"]


@pytest.mark.parametrize(
    ("criterion", "chosen"),
    [("entropy:tau=0.25", {"name": "entropy", "tau": 0.25, "normalized": False}), ("patience", {"name": "patience"})],
)
def test_a_criterion_by_name_and_with_settings(leco, tmp_path, encoder_folder, reviews, criterion, chosen):
    out = tmp_path / "out"
    flags = ["--model", encoder_folder, "--data", reviews, "--output", out, *BRIEFLY]
    assert leco("train", *flags, "--criterion", criterion).code == 0
    assert chosen.items() <= json.loads((out / "config.json").read_text())["exit_criterion"].items()
    assert (out / "contest.json").exists() == (":" not in criterion)


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ("speed", "Unknown exit criterion 'speed'"),
        ("oracle", "'oracle' needs the labels"),
        ("static:layer=9", "must be at most 3"),
        ("f-pabee:x=1", "'x'"),
        ("auto:tau=1", "'auto'"),
    ],
)
def test_a_criterion_that_there_is_not(leco, tmp_path, encoder_folder, reviews, criterion, message):
    flags = ["--model", encoder_folder, "--data", reviews, "--output", tmp_path / "out", *BRIEFLY]
    done = leco("train", *flags, "--criterion", criterion)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_a_model_of_the_first_layers(leco, tmp_path, encoder_folder, reviews):
    flags = ["--model", encoder_folder, "--data", reviews, *BRIEFLY]
    assert leco("train", *flags, "--output", tmp_path / "two", "--layers", 2).code == 0
    assert len(load_model(tmp_path / "two").exits) == 2
    assert "--layers must be from 1 to 3" in leco("train", *flags, "--output", tmp_path / "four", "--layers", 4).err


def test_the_package_is_the_command_too():
    command = [sys.executable, "-m", "leco", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().endswith(version("leco"))
