"""`leco export` and `leco bench`, as a user runs them."""

import json
import shutil

import pytest

from leco import LecoError
from leco.bench import FileContenders, Way, bench
from leco.bench.contenders import compared
from leco.data import load_data
from leco.evaluation import read_evaluation
from leco.export import export_onnx
from leco.loading import PredictorSpec
from leco.model import load_model
from leco.options import setting_names
from leco.run_folder import run_settings
from leco.runtime import Session
from leco.training.options import RunOptions, TrainingOptions

TEXTS = ["good good film", "a bad film", "bad"]


@pytest.mark.parametrize("flags", [(), ("--int8",), ("--criterion", "static:layer=1"), ("--opset", "20")])
def test_the_file_answers_as_the_model(leco, fitted, tmp_path, flags):
    file = tmp_path / "model.onnx"
    result = json.loads(leco("export", fitted, "--to", "onnx", "--output", file, *flags, "--json").out)
    assert result["bytes"] == file.stat().st_size
    session = Session(file)
    assert session.criterion.to_dict() == result["criterion"]
    answers = session.predict(TEXTS)
    assert [answer.label for answer in answers] == ["positive", "negative", "negative"]
    if "--int8" in flags:
        assert result["int8"]["full_depth_score"] == pytest.approx(result["float32"]["full_depth_score"], abs=0.1)
    else:
        expected = load_model(fitted).predict(TEXTS, session.criterion)
        assert [answer.exit_layer for answer in answers] == [answer.exit_layer for answer in expected]


def test_export_says_what_int8_costs(leco, fitted, tmp_path):
    printed = leco("export", fitted, "--int8", "--output", tmp_path / "model.onnx").out
    assert "float32: accuracy" in printed
    assert "int8: accuracy" in printed
    assert "leco bench" in printed


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--to", "tflite"), "Unknown format (--to) 'tflite'. Known: onnx"),
        (("--opset", "9"), "--opset must be from 18"),
        (("--criterion", "oracle"), "--criterion: 'oracle' needs the labels"),
        (("--output", "."), "is a folder. Give a file"),
        (("--int8", "--data", "nothing.csv"), "--data"),
    ],
)
def test_export_mistakes(leco, fitted, flags, message):
    done = leco("export", fitted, *flags)
    assert done.code == 2
    assert message in done.err


def test_bench(leco, fitted, tmp_path):
    flags = ["--against", "pytorch", "--texts", 4, "--rounds", 2, "--output", tmp_path, "--json"]
    result = json.loads(leco("bench", fitted, *flags).out)
    assert {row["way"] for row in result["rows"]} == {"plain", "leco", "plain in PyTorch", "plain again"}
    assert {row["batch_size"] for row in result["rows"]} == {1, 8, 32}
    for row in result["rows"]:
        assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
        assert (row["layers"] < 1) == (row["way"] == "leco")
        assert row["ratio"] == 1 or row["way"] != "plain"
    assert (tmp_path / "bench.png").stat().st_size
    assert json.loads((tmp_path / "bench.json").read_text()) == result


def test_bench_against_the_first_layers(leco, fitted, tmp_path):
    flags = ["--against", "first:2", "--texts", 2, "--rounds", 1, "--output", tmp_path]
    assert "first 2 layers" in leco("bench", fitted, *flags).out
    assert len(load_model(tmp_path / "first-2").exits) == 2
    own, shorter = run_settings(fitted), run_settings(tmp_path / "first-2")
    names = {*setting_names(RunOptions), *setting_names(TrainingOptions)} & {*own}
    assert {name for name in names if own[name] != shorter[name]} == {"layers", "strategy"}
    assert {"standardize", "weight_decay", "warmup", "gradient_accumulation", "exit_dropout"} <= names


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ("tensorflow", "--against 'tensorflow' is neither a folder nor one of: pytorch"),
        ("first:9", "--against first:9 must name from 1 to 2 layers"),
    ],
)
def test_bench_mistakes(leco, fitted, tmp_path, against, message):
    done = leco("bench", fitted, "--against", against, "--output", tmp_path)
    assert done.code == 2
    assert message in done.err


@pytest.fixture(scope="module")
def file(fitted, tmp_path_factory):
    """A folder with nothing but an exported file."""
    path = tmp_path_factory.mktemp("file") / "model.onnx"
    export_onnx(load_model(fitted), path)
    return path


def test_a_file_is_predicted_with_like_a_folder(leco, fitted, file, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join([*TEXTS, "good " * 100]))
    by_folder, by_file = (leco("predict", path, texts, "--batch-size", 2) for path in (fitted, file))
    one, other = ([json.loads(line) for line in done.out.splitlines()] for done in (by_folder, by_file))
    assert [row.pop("score") for row in one] == pytest.approx([row.pop("score") for row in other], abs=1e-5)
    assert one == other
    assert by_file.err == by_folder.err
    assert "1 of 4 texts are longer than 24 tokens and are truncated" in by_file.err


def test_a_file_is_evaluated_as_far_as_it_goes(leco, fitted, file, reviews, tmp_path):
    flags = ["--data", reviews, "--timed-texts", 4, "--repeats", 1, "--output", tmp_path, "--json"]
    found = json.loads(leco("evaluate", file, *flags).out)
    whole = json.loads(leco("evaluate", fitted, *flags[:-3], "--criterion", "static", "--json").out)
    results = json.loads((fitted / "results.json").read_text())
    same = ("score", "full_depth_score", "mean_exit_layer", "exit_layer_counts", "exit_layer_counts_by_label", "rows")
    assert {name: found[name] for name in same} == {name: results[name] for name in same}
    assert "lacks" not in whole
    assert found["exit_scores"] == []
    assert found["lacks"].endswith("evaluate the model's folder.")
    assert len(found["speedup_repeats"]) == 1
    assert read_evaluation(tmp_path / "evaluation.json").lacks == found["lacks"]
    printed = leco("evaluate", file, *flags[:-3]).out
    assert found["lacks"] in printed
    assert "leco bench" in printed


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("predict FILE --device cuda", "An ONNX file runs on the processor: the device must be auto or cpu, not"),
        ("predict FILE --bf16", "bf16 and compile are for model folders"),
        ("predict MODEL --device tpu", "The device must be auto, cpu, cuda, cuda:N or mps, not 'tpu'."),
        ("report MODEL --device cuda:99", "The device 'cuda:99' is not there"),
        ("evaluate MODEL --data DATA --device cuda:99", "The device 'cuda:99' is not there"),
        ("evaluate FILE --data DATA --device mps", "An ONNX file runs on the processor"),
        ("evaluate FILE --data DATA --criterion cobee", "The settings of 'cobee' are chosen with what every exit says"),
        ("evaluate FILE --data DATA --criterion entropy:tau=0.5", "The file exits by 'cobee', not by 'entropy'"),
        ("bench FILE --data DATA --against pytorch", "--against pytorch is made of a model folder"),
        ("bench FILE --data DATA --onnx FILE", "goes with a model folder"),
        ("bench FILE", "does not say on what it was trained"),
        ("bench nowhere.onnx --data DATA", "The file 'nowhere.onnx' does not exist."),
    ],
)
def test_what_a_file_or_a_device_does_not_have(leco, fitted, file, reviews, command, message):
    names = {"MODEL": fitted, "FILE": file, "DATA": reviews}
    done = leco(*(names.get(word, word) for word in command.split()))
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_a_file_is_benched_beside_itself_and_others(leco, fitted, file, reviews, tmp_path):
    flags = ["--data", reviews, "--against", fitted, "--texts", 4, "--rounds", 1, "--output", tmp_path, "--json"]
    rows = json.loads(leco("bench", file, *flags).out)["rows"]
    layers = {row["way"]: row["layers"] for row in rows}
    assert layers.keys() == {"plain", "leco", fitted.name, "plain again"}
    assert layers["plain"] == 1
    assert layers["leco"] == layers[fitted.name] < 1
    assert len({row["score"] for row in rows if row["way"] in ("leco", fitted.name)}) == 1


def test_contenders_of_one_name_are_told_apart_by_their_paths(file, tmp_path, monkeypatch):
    """Neither the plain model nor the one under test gives way to a folder that is called like it."""
    monkeypatch.chdir(tmp_path)
    wanted = ["plain", "leco", "a/plain again", "x/m", "y/m", "deep/x/m", "y/x/only", "."]
    for one in wanted:
        (tmp_path / one).mkdir(parents=True, exist_ok=True)
    names = [way.name for way in compared(FileContenders(file), None, wanted)]
    here = tmp_path.name
    apart = [f"{here}/plain", f"{here}/leco", "a/plain again", f"{here}/x/m", "y/m", "deep/x/m", "only", here]
    assert names == ["plain", "leco", *apart]
    for twice in (["x/m", "x/m"], ["x/m", "y/../x/m/"], ["y/m", str(tmp_path / "y" / "m")]):
        with pytest.raises(LecoError, match=r"^against 'm' is given twice\. Give it once\.$"):
            compared(FileContenders(file), None, twice)


def test_a_folder_called_plain_is_no_baseline(leco, fitted, file, reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(fitted, tmp_path / "plain").parent)
    flags = ["--data", reviews, "--against", "plain", "--texts", 2, "--rounds", 1, "--output", "out", "--json"]
    rows = json.loads(leco("bench", file, *flags).out)["rows"]
    assert [row["way"] for row in rows[:4]] == ["plain", "leco", f"{tmp_path.name}/plain", "plain again"]
    assert [(row["layers"], row["ratio"]) for row in rows if row["way"] == "plain"] == [(1, 1)] * 3


def test_ways_are_timed_under_their_names_and_over_the_first(fitted, file, reviews):
    data = load_data(reviews)
    ways = [Way("mine", PredictorSpec(file, threads=1), full_depth=True), Way("early", PredictorSpec(file, threads=1))]
    rows = bench(ways, data, texts=2, rounds=1, batch_sizes=(1,))
    assert [row.way for row in rows] == ["mine", "early", "plain again"]
    assert rows[0].ratio == 1
    for name in ("mine", "plain again"):
        with pytest.raises(LecoError, match=f"^Two of the ways are called '{name}'"):
            bench([*ways, Way(name, PredictorSpec(file))], data)
