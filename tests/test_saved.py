"""What former versions saved and exported goes on answering as it did."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import leco
from leco.evaluation import evaluate

SAVED = Path(__file__).parent / "saved"
VERSIONS = sorted(folder.name for folder in SAVED.iterdir() if folder.is_dir() and folder.name[0].isdigit())
FILES = ("model", "model.onnx", "model-int8.onnx")


def load(version, name):
    if name == "model":
        pytest.importorskip("torch", reason="PyTorch is not installed")
    return leco.load(SAVED / version / name, device="cpu")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("version", VERSIONS)
def test_answers_are_those_of_then(version, name):
    saved = json.loads((SAVED / version / "answers.json").read_text(encoding="utf-8"))
    for answer, then in zip(load(version, name).predict(saved["texts"]), saved["answers"][name], strict=True):
        assert (answer.label, answer.exit_layer) == (then["label"], then["exit_layer"])
        for label, score in then["scores"].items():
            np.testing.assert_allclose(answer.scores[label], score, atol=1e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_of_then_is_evaluated_and_exported(version, tmp_path):
    from leco.export import export_onnx

    model = load(version, "model")
    rows = "".join(f"{text},{label}\n" for label in model.label_names for text in ("a good film", "so bad", "it is"))
    (tmp_path / "new.csv").write_text("text,label\n" + rows)
    assert 0 <= evaluate(model, tmp_path / "new.csv").score <= 1
    export_onnx(model, tmp_path / "again.onnx")
    texts = ["a good film", "so dull"]
    for answer, again in zip(model.predict(texts), leco.load(tmp_path / "again.onnx").predict(texts), strict=True):
        assert (answer.label, answer.exit_layer) == (again.label, again.exit_layer)


def test_every_released_version_is_among_them():
    changes = (SAVED.parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    released = set(re.findall(r"^## (\d+\.\d+)\.", changes, re.M))
    assert released - {leco.__version__.rpartition(".")[0]} <= set(VERSIONS)
    assert released
