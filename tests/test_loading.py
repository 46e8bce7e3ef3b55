"""`leco.load`: the right predictor for a path, or one sentence; an exported file is loaded without PyTorch."""

import json
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import leco
from leco import Cobee, LecoError, MultiExitModel, PredictorSpec
from leco.export import export_onnx
from leco.model import load_model
from leco.runtime import Session
from tiny import assert_same_answers

TEXTS = ["good good film", "a bad film", "dull"]
BLOCKED = """
import json, sys
for name in ("torch", "transformers"):
    sys.modules[name] = None  # an import of it is an ImportError
import leco
predictor = leco.load(sys.argv[1], threads=1)
answers = predictor.predict(json.loads(sys.argv[2]), criterion="cobee:tau=0.3,patience=1", batch_size=2)
print(json.dumps([answer.to_dict() for answer in answers]))
"""


@pytest.fixture(scope="module")
def file(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(load_model(fitted), path, criterion=Cobee(tau=0.3))
    return path


def test_a_folder_and_a_file_answer_alike(fitted, file):
    model, session = leco.load(fitted, device="cpu"), leco.load(str(file))
    assert isinstance(model, MultiExitModel)
    assert isinstance(session, Session)
    assert_same_answers(session.predict(TEXTS), model.predict(TEXTS, criterion="cobee:tau=0.3"))


def test_a_file_is_loaded_without_pytorch(file):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(file), json.dumps(TEXTS)], capture_output=True, text=True, check=True
    )
    expected = [answer.to_dict() for answer in leco.load(file).predict(TEXTS)]
    assert [answer["label"] for answer in json.loads(done.stdout)] == [answer["label"] for answer in expected]


def test_a_description_is_a_value(fitted):
    spec = PredictorSpec(fitted, threads=2, device="cpu", precision="bf16")
    assert pickle.loads(pickle.dumps(spec)) == spec == PredictorSpec(fitted, 2, "cpu", "bf16")
    with pytest.raises(FrozenInstanceError):
        spec.device = "cuda"


@pytest.mark.parametrize("path", [None, 7, "", b"rte", ["rte"], {}], ids=ascii)
def test_what_is_no_path(path):
    with pytest.raises(LecoError, match=r"^A predictor is loaded from a model folder or an ONNX file, not from"):
        leco.load(path)
    with pytest.raises(LecoError, match=r"^A predictor is loaded from a model folder or an ONNX file, not from"):
        leco.evaluate(path, "new.csv")


@pytest.mark.parametrize("path", ["nowhere", "a\0b", "x" * 5000, Path("x" * 300), "nowhere.onnx", "x" * 300 + ".onnx"])
def test_what_is_not_there(path):
    with pytest.raises(LecoError, match=r"^The (model folder|file) '.*' does not exist\. 'leco \w+.*\.$"):
        leco.load(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda"}, "An ONNX file runs on the processor: the device must be auto or cpu, not 'cuda'."),
        ({"device": "mps"}, "An ONNX file runs on the processor: the device must be auto or cpu, not 'mps'."),
        ({"device": 7}, "An ONNX file runs on the processor: the device must be auto or cpu, not '7'."),
        ({"precision": "bf16"}, "is in the file, which is compiled already: bf16 and compile are for model folders"),
        ({"precision": "float32"}, "is in the file, which is compiled already"),
        ({"compile": True}, "is in the file, which is compiled already"),
        ({"precision": "fp16"}, "The precision must be float32 or bf16, not 'fp16'."),
        ({"threads": 0}, "The threads must be a whole number from 1 to 1024, not 0."),
        ({"threads": "2"}, "The threads must be a whole number from 1 to 1024, not '2'."),
    ],
)
def test_what_a_file_does_not_have(file, options, message):
    with pytest.raises(LecoError) as error:
        leco.load(file, **options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "The device must be auto, cpu, cuda, cuda:N or mps, not 'tpu'."),
        ({"device": 7}, "The device must be auto, cpu, cuda, cuda:N or mps, not '7'."),
        ({"device": "cuda:99"}, "The device 'cuda:99' is not there"),
        ({"precision": 16}, "The precision must be float32 or bf16, not 16."),
        ({"threads": -1}, "The threads must be a whole number from 1 to 1024, not -1."),
    ],
)
def test_what_a_folder_does_not_have(fitted, options, message):
    with pytest.raises(LecoError) as error:
        leco.load(fitted, **options)
    assert message in str(error.value)


def test_an_encoder_has_no_answers(encoder_folder):
    with pytest.raises(LecoError, match="holds a model of type 'bert', not a multi-exit one"):
        leco.load(encoder_folder)


@pytest.mark.parametrize("config", ["", "[]", "null", '{"architectures": 7}', '{"architectures": [null]}', "{"])
def test_a_folder_that_is_something_else(tmp_path, config):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(LecoError, match=r"is not a model folder|holds a model of type"):
        leco.load(tmp_path)


def test_dropout_is_switched_off_once_and_again_after_training(fitted, monkeypatch):
    model, switched = leco.load(fitted, device="cpu"), []
    monkeypatch.setattr(MultiExitModel, "eval", lambda self: switched.append(1) or self.train(False))
    expected = model.predict(TEXTS)
    assert model.predict(TEXTS) == expected
    assert not switched
    model.train()
    assert model.predict(TEXTS) == model.predict(TEXTS) == expected
    assert switched == [1]
