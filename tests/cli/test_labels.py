"""What users meet with labels of their own: values in a unit, rare labels, another metric."""

import json
import random

import pytest

from leco.model import load_model
from leco.runtime import Session
from offline import SHORT, rows, write_csv

FLAGS = [*SHORT, "--exits", "linear"]


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    """Texts, good ones of which are worth 400,000 and others 100,000, more or less."""
    choose = random.Random(0)
    table = [(text, (100_000, 400_000)[label == "positive"] + choose.gauss(0, 9_000)) for text, label in rows(240)]
    return write_csv(tmp_path_factory.mktemp("data") / "prices.csv", table, ("text", "price"))


def test_values_are_answered_in_their_unit(leco, encoder_folder, prices, tmp_path):
    folder, file = tmp_path / "model", tmp_path / "model.onnx"
    flags = [*FLAGS, "--criterion", "patience", "--metric", "rmse", "--max-drop", "0.1", "--epochs", "8"]
    done = leco("fit", "--model", encoder_folder, "--data", prices, "--output", folder, *flags)
    assert done.code == 0, done.err
    assert "mae " in done.out
    results = json.loads((folder / "results.json").read_text())
    assert results["metric"] == "r2"
    assert results["score"] > 0.9
    assert 1_000 < results["detail"]["errors"]["mae"] <= results["detail"]["errors"]["rmse"] < 60_000
    model = load_model(folder)
    assert model.trained_on.metric == "r2"
    good, bad = (answer.label for answer in model.predict(["a good film", "a bad film"]))
    assert good == pytest.approx(400_000, abs=60_000)
    assert bad == pytest.approx(100_000, abs=60_000)
    outputs = model(**model.tokenizer("a good film", return_tensors="pt"))
    assert outputs.logits.item() == pytest.approx(good, rel=0.2), "as Transformers reads it"
    leco("export", folder, "--output", file)
    session = Session(file)
    assert [one.label for one in session.predict(["a good film", "a bad film"])] == pytest.approx([good, bad], rel=1e-4)
    assert session.trained_on.metric == "r2"
    found = json.loads(leco("evaluate", file, "--data", prices, "--timed-texts", 2, "--repeats", 1, "--json").out)
    assert found["metric"] == "r2"
    assert found["detail"]["errors"]["rmse"] == pytest.approx(results["detail"]["errors"]["rmse"], rel=1e-3)
    wanted = ["--metric", "pearson-spearman", "--criterion", "static:layer=1", "--timed-texts", 2, "--repeats", 1]
    assert json.loads(leco("evaluate", folder, "--data", prices, *wanted, "--json").out)["metric"] == "pearson_spearman"


def test_rare_labels(leco, encoder_folder, tmp_path):
    table = [row for row in rows(400) if row[1] == "positive"][:200] + [
        row for row in rows(20) if row[1] == "negative"
    ][:8]
    data = write_csv(tmp_path / "rare.csv", table)
    run = ["--model", encoder_folder, "--data", data, *FLAGS, "--output"]
    plain = leco("fit", *run, tmp_path / "plain")
    assert "of the training texts have the label 'positive': a model that always says so is right as often" in plain.err
    assert "--class-weights balanced" in plain.err
    done = leco("fit", *run, tmp_path / "balanced", "--class-weights", "balanced", "--metric", "macro-f1")
    assert "is right as often" not in done.err
    assert "f1_macro" in done.out
    assert "Confusion" in done.out
    weights = load_model(tmp_path / "balanced").config.statistics.weights
    assert weights[0] / weights[1] > 15
    assert load_model(tmp_path / "plain").config.statistics.weights is None
    by_label = json.loads((tmp_path / "balanced" / "results.json").read_text())["detail"]["by_label"]
    assert set(by_label) == {"negative", "positive"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--class-weights", "balanced"], "--class-weights balanced weighs labels, but"),
        (["--class-weights", "inverse"], "--class-weights must be one of equal, balanced"),
        (["--metric", "accuracy"], "--metric: 'accuracy' is not defined for a regression"),
        (["--metric", "akkuracy"], "--metric: Unknown metric 'akkuracy'. Did you mean 'accuracy'"),
    ],
)
def test_what_does_not_go_with_values(leco, encoder_folder, prices, tmp_path, flags, message):
    done = leco("fit", "--model", encoder_folder, "--data", prices, "--output", tmp_path / "none", *FLAGS, *flags)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "none").exists()
