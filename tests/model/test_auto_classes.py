"""Transformers' Auto classes and pipelines know the model after `import leco`, without the network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, PreTrainedModel, pipeline

import leco
from leco.export import export_onnx
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from tiny import sentences, text_model

TEXTS = [text for text in sentences(16) if isinstance(text, str)]
LEAVE_EARLY = leco.Static(1)


@pytest.fixture(scope="module", params=[SINGLE_LABEL, MULTI_LABEL, REGRESSION])
def model(request, tokenizer, tmp_path_factory):
    """A saved model of 3 layers, whose criterion leaves at the first."""
    folder = tmp_path_factory.mktemp("model")
    outputs = 1 if request.param == REGRESSION else 4
    model = text_model(tokenizer, layers=3, outputs=outputs, problem_type=request.param, max_tokens=20)
    model.config.exit_criterion = LEAVE_EARLY.to_dict()
    model.save_pretrained(folder)
    return leco.MultiExitModel.from_pretrained(folder)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_pipeline_gives_the_full_depth_answer(model, batch_size):
    run = pipeline("text-classification", model=str(model.name_or_path), device="cpu")
    answers = run(TEXTS, top_k=None, batch_size=batch_size)
    expected = model.predict(TEXTS, criterion=leco.Static())
    assert len(answers) == len(expected)
    for answer, other in zip(answers, expected):
        assert {part["label"]: part["score"] for part in answer} == pytest.approx(other.scores, abs=1e-5)


LONG = "good " * 700


@pytest.mark.parametrize("saved", [20, 512, 10**30])
def test_a_pipeline_cuts_a_long_text_as_predict_does(model, tmp_path, saved):
    """Also where the saved tokenizer names another length, as in folders of before."""
    folder = shutil.copytree(model.name_or_path, tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    assert settings["model_max_length"] == 20, "the length with which the model was trained"
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": saved}))
    run = pipeline("text-classification", model=str(folder), device="cpu")
    texts = [LONG, ("bad " * 30, LONG), "short"]
    given = [text if isinstance(text, str) else dict(zip(("text", "text_pair"), text, strict=True)) for text in texts]
    for answer, other in zip(run(given, top_k=None, batch_size=2), model.predict(texts, leco.Static()), strict=True):
        assert {part["label"]: part["score"] for part in answer} == pytest.approx(other.scores, abs=1e-5)
    assert run("a film", truncation=False)
    with pytest.raises(Exception, match=r"size|index|expand"):
        run(LONG, truncation=False)


def test_a_tokenizer_of_the_folder_alone_cuts_at_the_models_length(model, tmp_path):
    for tokenizer in (AutoTokenizer.from_pretrained(model.name_or_path), exported_tokenizer(model, tmp_path)):
        options = {} if isinstance(tokenizer, Tokenizer) else {"truncation": True}
        encoded = tokenizer.encode(LONG, **options)
        ids = encoded.ids if isinstance(tokenizer, Tokenizer) else encoded
        assert ids == model.encode([LONG])[0]["input_ids"]


def exported_tokenizer(model, folder):
    """The tokenizer in an exported file's metadata, as programs in other languages read it."""
    export_onnx(model, folder / "model.onnx")
    properties = {one.key: one.value for one in onnx.load(folder / "model.onnx").metadata_props}
    return Tokenizer.from_str(properties["leco.tokenizer"])


def test_pipelines_of_other_models_are_as_they_were(tokenizer):
    settings = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "max_position_embeddings": 40}
    plain = BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer), intermediate_size=24, **settings))
    run = pipeline("text-classification", model=plain, tokenizer=tokenizer, device="cpu")
    with pytest.raises(Exception, match=r"size|index|expand"):
        run(LONG)


SCRIPT = """
import json, socket, sys

def refuse(*_, **__):
    raise AssertionError("the network was used")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
{imports}
from transformers import AutoConfig, AutoModelForSequenceClassification, pipeline

folder, *texts = sys.argv[1:]
assert type(AutoConfig.from_pretrained(folder)) is leco.LecoConfig
model = AutoModelForSequenceClassification.from_pretrained(folder)
assert type(model) is leco.MultiExitModel
answers = pipeline("text-classification", model=folder)(texts, batch_size=8)
early = [answer.exit_layer for answer in model.predict(texts)]
print(json.dumps({{"answers": answers, "early": early}}))
"""


@pytest.mark.parametrize("model", [SINGLE_LABEL], indirect=True)
@pytest.mark.parametrize(
    "imports",
    [
        "import leco",
        "from transformers import AutoModelForSequenceClassification; import leco",
    ],
)
def test_in_a_new_process_in_whichever_order_without_network_and_without_complaint(model, imports):
    environment = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "warning", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(imports=imports), str(model.name_or_path), *TEXTS],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "not supported" not in result.stderr
    assert "[transformers]" not in result.stderr
    output = json.loads(result.stdout)
    assert output["early"] == [1] * len(TEXTS)
    for answer, expected in zip(output["answers"], model.predict(TEXTS, criterion=leco.Static()), strict=True):
        assert answer["label"] == expected.label
        assert answer["score"] == pytest.approx(expected.scores[expected.label], abs=1e-5)


FIRST = (
    "leco.model.multi_exit",
    "leco.model.pretrained",
    "leco.pipeline",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.encoder_decoder",
)


@pytest.mark.parametrize("model", [SINGLE_LABEL], indirect=True)
@pytest.mark.parametrize("first", FIRST)
def test_whatever_is_imported_first(model, first):
    """The Auto classes are imported in the middle of these imports, when much is half-made."""
    code = (
        f"import sys, leco, {first}; from transformers import AutoConfig, AutoModelForSequenceClassification as Auto; "
        "config = AutoConfig.from_pretrained(sys.argv[1]); assert type(config) is leco.LecoConfig; "
        "assert type(Auto.from_pretrained(sys.argv[1])) is type(Auto.from_config(config)) is leco.MultiExitModel"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model.name_or_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_pushed_to_a_hub_has_the_tokenizer(model, tmp_path, monkeypatch):
    """Transformers sends the folder before its `save_pretrained` ends."""
    seen = []
    monkeypatch.setattr(
        PreTrainedModel, "save_pretrained", lambda self, folder, **k: seen.extend(Path(folder).iterdir())
    )
    model.save_pretrained(tmp_path)
    assert {"tokenizer.json", "tokenizer_config.json"} <= {path.name for path in seen}
