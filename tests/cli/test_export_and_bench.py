"""`leco export` and `leco bench`, as a user runs them."""

import json

import pytest

from leco.model import load_model
from leco.runtime import Session

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
        (("--criterion", "voting"), "--criterion: Unknown criterion for ONNX 'voting'"),
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
