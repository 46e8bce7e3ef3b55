"""A saved model is the same when it is loaded; a folder that is broken is refused with one sentence."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoTokenizer

from leco import Cobee, Static
from leco.errors import LecoError
from leco.exits.architecture import LINEAR
from leco.model import LecoConfig, MultiExitModel, load_backbone, load_model, load_tokenizer
from leco.problems import MULTI_LABEL, NO_STATISTICS, REGRESSION, SINGLE_LABEL, LabelStatistics
from tiny import MIXED, bert, multi_exit, texts


@pytest.fixture
def folder(tmp_path, tokenizer):
    """A complete model folder."""
    model = multi_exit(bert(vocab_size=len(tokenizer)))
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("criterion", [None, Static(2), Cobee(tau=0.25, patience=2)])
@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL, REGRESSION])
def test_the_configuration_round_trips(tmp_path, criterion, problem_type):
    backbone, statistics = bert(num_hidden_layers=4), LabelStatistics(2.5, 0.5, (1.0, 3.0))
    config = LecoConfig(
        backbone.config,
        exit_architectures=MIXED,
        exit_criterion=criterion,
        exit_dropout=0.3,
        max_tokens=12,
        problem_type=problem_type,
        label_statistics=statistics,
        id2label={0: "no", 1: "yes"},
        label2id={"no": 0, "yes": 1},
    )
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is LecoConfig
    assert loaded.exits == list(MIXED)
    assert loaded.criterion == (criterion or Static())
    assert (loaded.exit_dropout, loaded.max_tokens, loaded.problem_type) == (0.3, 12, problem_type)
    assert loaded.statistics == statistics
    assert LecoConfig(backbone.config).statistics == NO_STATISTICS, "of a folder of a former version"
    assert loaded.label_names == ["no", "yes"]
    assert loaded.backbone_config.to_dict() == backbone.config.to_dict()


def test_weights_are_safetensors_and_the_tokenizer_is_beside_them(folder, tokenizer):
    assert load_file(folder / "model.safetensors").keys() == load_model(folder).state_dict().keys()
    assert not list(folder.glob("*.bin"))
    model = load_model(folder)
    assert model.tokenizer("a film") == tokenizer("a film")
    assert AutoTokenizer.from_pretrained(folder)("a film")["input_ids"] == tokenizer("a film")["input_ids"]


@torch.no_grad()
def test_a_model_that_was_prepared_in_16_bits_loses_nothing_of_its_exits(folder, tmp_path):
    model = MultiExitModel.from_pretrained(folder).prepare(bf16=True)
    model.save_pretrained(tmp_path / "saved")
    loaded = MultiExitModel.from_pretrained(tmp_path / "saved")
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    for name, saved in model.state_dict().items():
        assert torch.equal(saved.float(), loaded.state_dict()[name].float()), name
    assert torch.equal(model(**texts(4)).logits, loaded.prepare(bf16=True)(**texts(4)).logits)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_the_precision_is_chosen_when_loading(folder, dtype):
    model = MultiExitModel.from_pretrained(folder, dtype=dtype)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    assert model(**texts(4)).logits.dtype == dtype


def test_a_model_without_tokenizer_says_so():
    with pytest.raises(LecoError, match=r"set `model\.tokenizer`"):
        multi_exit(bert()).predict(["a text"])


def edit(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1000])


def remove_tokenizer(folder):
    for path in folder.glob("tokenizer*"):
        path.unlink()


def remove_an_exit(folder):
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("exits.1.")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "its config.json is missing or broken"),
        (lambda folder: cut(folder / "config.json"), "its config.json is missing or broken"),
        (lambda folder: (folder / "config.json").write_text("[]"), "its config.json is missing or broken"),
        (lambda folder: edit(folder, model_type="bert"), "holds a model of type 'bert', not a multi-exit one"),
        (lambda folder: edit(folder, backbone_config={"model_type": "gpt2"}), "Unknown backbone family 'gpt2'"),
        (lambda folder: edit(folder, backbone_config={"model_type": "no-such"}), "model in the folder .* broken"),
        (lambda folder: edit(folder, backbone_config=None), "model in the folder .* broken"),
        (lambda folder: edit(folder, exit_architectures=[LINEAR.to_dict()]), "3 layers, but 1 exit architectures"),
        (lambda folder: edit(folder, exit_architectures=[LINEAR.to_dict()] * 3), "model in the folder .* broken"),
        (lambda folder: edit(folder, exit_architectures=[{"kind": "square"}] * 3), "Unknown exit kind 'square'"),
        (lambda folder: cut(folder / "model.safetensors"), "model in the folder .* missing or broken"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model in the folder .* missing or broken"),
        (remove_an_exit, r"its weights lack 'exits\.1\.classifier\.bias' and 7 more"),
        (lambda folder: edit(folder, problem_type=REGRESSION), "has a, b, c, but no regression has that number"),
        (lambda folder: edit(folder, label_statistics={"mean": 0.0, "std": 0.0}), "its label_statistics are"),
        (
            lambda folder: edit(folder, label_statistics={"mean": "high"}),
            "its label_statistics is not as it was written",
        ),
        (lambda folder: edit(folder, label_statistics={"weights": [1.0, 2.0]}), "its label_statistics are"),
        (lambda folder: edit(folder, label_statistics=[1]), "is broken"),
        (remove_tokenizer, "tokenizer in the folder .* missing or broken"),
        (lambda folder: cut(folder / "tokenizer.json"), "tokenizer in the folder .* missing or broken"),
    ],
)
def test_a_broken_folder_is_refused(folder, harm, message):
    load_model(folder)
    harm(folder)
    with pytest.raises(LecoError, match=message) as error:
        load_model(folder)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_folder_of_another_kind_is_refused(tmp_path):
    bert().save_pretrained(tmp_path)
    with pytest.raises(LecoError, match="holds a model of type 'bert', not a multi-exit one"):
        load_model(tmp_path)
    with pytest.raises(LecoError, match="does not exist"):
        load_model(tmp_path / "nowhere")


def test_a_backbone_is_no_multi_exit_model_and_of_a_known_family(folder, tmp_path):
    with pytest.raises(LecoError, match="is a multi-exit model already"):
        load_backbone(str(folder))
    AutoConfig.for_model("gpt2").save_pretrained(tmp_path / "gpt2")
    with pytest.raises(LecoError, match="Unknown backbone family 'gpt2'"):
        load_backbone(str(tmp_path / "gpt2"))
    with pytest.raises(LecoError, match="there is no such folder"):
        load_backbone(str(tmp_path / "nowhere"))


def test_tokenizers_pad_at_the_right(folder):
    path = Path(folder, "tokenizer_config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "padding_side": "left"}))
    assert load_tokenizer(str(folder)).padding_side == "right"
