"""No code that comes with a model is run, and no tokenizer that does not fit is taken."""

import ast
import json
import shutil
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer, BertForSequenceClassification

import leco
from leco import LecoError, PredictorSpec
from leco.bench import Way
from leco.model import MultiExitModel, load_backbone, load_classifier, load_config, load_model, load_tokenizer
from leco.model.backbones import BACKBONES
from leco.pipeline import train
from tiny import TINY

LOADING = {
    "from_pretrained",
    "from_config",
    "for_model",
    "load_dataset",
    "load_dataset_builder",
    "get_dataset_config_names",
    "pipeline",
    "get_dataset_split_names",
    "snapshot_download",
    "hf_hub_download",
    "get_class_from_dynamic_module",
}
"""Functions of Transformers, datasets and the Hub that may load, or run, what others have made."""
HARMLESS = {
    ("_registration.py", "from_pretrained"): "hands on to MultiExitModel, whose class is its own",
    ("configuration.py", "for_model"): "makes a configuration of a class of Transformers",
}
EVIL = "import pathlib; pathlib.Path({path!r}).touch()\n\n\nclass Evil:\n    pass\n"


def loading_calls():
    root = Path(leco.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", None))
            if isinstance(node, ast.Call) and name in LOADING:
                yield path.relative_to(root).as_posix(), name, {word.arg: word.value for word in node.keywords}


def test_every_loading_call_refuses_code():
    found = list(loading_calls())
    assert {(file, name) for file, name, _ in found} >= HARMLESS.keys(), "no reason is left without its call"
    for file, name, words in found:
        if (file, name) not in HARMLESS:
            given = words.get("trust_remote_code")
            assert isinstance(given, ast.Constant), f"{name} in {file} must say trust_remote_code=False"
            assert given.value is False


@pytest.fixture
def hostile(tmp_path, encoder_folder, fitted, monkeypatch):
    """Makes a folder whose code leaves a trace when it is run; standard input says yes to everything."""
    trace = tmp_path / "trace"
    monkeypatch.setattr("builtins.input", lambda *_: trace.touch() or "y")

    def make(source, file, settings):
        folder = tmp_path / "hostile"
        shutil.copytree({"encoder": encoder_folder, "model": fitted}[source], folder)
        (folder / "evil.py").write_text(EVIL.format(path=str(trace)))
        path = folder / file
        before = json.loads(path.read_text())
        path.write_text(json.dumps({**before, **settings(before)}))
        return str(folder)

    yield make
    assert not trace.exists(), "neither was its code run nor standard input read"


MAPS = [
    {"auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": [None, "evil.Evil"],
                  "AutoModelForSequenceClassification": "evil.Evil"}},
    {"auto_map": ["evil.Evil", None]},
    {"auto_map": {"AutoConfig": "someone/else--evil.Evil"}},
]  # fmt: skip


@pytest.mark.parametrize("model_type", ["bert", "evil"])
@pytest.mark.parametrize("settings", MAPS[::2])
@pytest.mark.parametrize("load", [load_config, load_backbone, load_classifier])
def test_a_hostile_configuration(hostile, load, settings, model_type):
    folder = hostile("encoder", "config.json", lambda _: {**settings, "model_type": model_type})
    with pytest.raises(LecoError, match=r"needs code that comes with the model \(.*evil\.Evil.*\), which is never run"):
        load(folder)


@pytest.mark.parametrize("settings", MAPS)
@pytest.mark.parametrize("tokenizer_class", ["PreTrainedTokenizerFast", "Evil"])
@pytest.mark.parametrize(("source", "load"), [("encoder", load_tokenizer), ("model", load_model)])
def test_a_hostile_tokenizer(hostile, source, load, settings, tokenizer_class):
    if "someone" in str(settings):
        settings = {"auto_map": {"AutoTokenizer": ["someone/else--evil.Evil", None]}}
    folder = hostile(source, "tokenizer_config.json", lambda _: {**settings, "tokenizer_class": tokenizer_class})
    with pytest.raises(
        LecoError, match=r"tokenizer .* needs code that comes with the model \(.*AutoTokenizer: .*evil\.Evil"
    ):
        load(folder)


@pytest.mark.parametrize(
    "settings",
    [
        lambda config: {"backbone_config": {**config["backbone_config"], **MAPS[0]}},
        lambda config: {"backbone_config": {**config["backbone_config"], "attn_implementation": "someone/kernel"}},
        lambda config: {"attn_implementation": "someone/kernel"},
        lambda config: MAPS[0],
    ],
)
def test_a_hostile_model(hostile, settings):
    folder = hostile("model", "config.json", settings)
    with pytest.raises(LecoError, match="needs code that comes with the model"):
        load_model(folder)


def test_the_first_text_is_no_answer(leco, hostile, monkeypatch, tmp_path):
    """Transformers asks on standard input, where `predict` has its texts."""
    folder = hostile("model", "tokenizer_config.json", lambda _: MAPS[0])
    result = leco("predict", folder)
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("family", BACKBONES)
def test_a_folder_of_any_family_without_its_tokenizer_is_refused(family, tmp_path):
    config = AutoConfig.for_model(family, **TINY)
    config.save_pretrained(tmp_path)
    with pytest.raises(LecoError, match="tokenizer") as error:
        load_tokenizer(str(tmp_path), config)
    assert "\n" not in str(error.value)


def add_tokens(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["[NEW]"])
    tokenizer.save_pretrained(folder)


def edit(path, change):
    settings = json.loads(path.read_text())
    change(settings)
    path.write_text(json.dumps(settings))


def only_special_tokens(folder):
    (folder / "tokenizer.json").unlink()
    edit(folder / "tokenizer_config.json", lambda settings: settings.update(tokenizer_class="BertTokenizer"))


def no_padding(folder):
    edit(folder / "tokenizer_config.json", lambda settings: settings.pop("pad_token"))


MISFITS = [
    (add_tokens, r"has the token '\[NEW\]' as number \d+, but there are \d+ embeddings"),
    (only_special_tokens, "knows nothing but 5 special tokens, as where its files are missing"),
    (no_padding, "has no padding token"),
]


@pytest.mark.parametrize(("harm", "message"), MISFITS)
def test_a_tokenizer_that_does_not_fit(encoder_folder, fitted, reviews, tmp_path, harm, message):
    for source in (encoder_folder, fitted):
        folder = tmp_path / source.name
        shutil.copytree(source, folder)
        harm(folder)
        if source == fitted:
            with pytest.raises(LecoError, match=message):
                load_model(folder)
        else:
            with pytest.raises(LecoError, match=message):
                train(str(folder), str(reviews), tmp_path / "out", exits="linear", epochs=1)
            assert not (tmp_path / "out").exists()


def test_the_tokenizer_of_a_much_larger_model_is_refused(encoder_folder):
    config = load_config(str(encoder_folder))
    config.vocab_size *= 3
    with pytest.raises(LecoError, match=f"tokens for {config.vocab_size} embeddings, and so"):
        load_tokenizer(str(encoder_folder), config)


def test_a_classifier_beside_it_is_loaded_in_the_same_way(tmp_path, encoder_folder):
    config = load_config(str(encoder_folder))
    config.id2label, config.label2id = {0: "a", 1: "b"}, {"a": 0, "b": 1}
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    way = Way("other", PredictorSpec(tmp_path))
    with pytest.raises(LecoError, match=r"other: The tokenizer of .* knows nothing but"):
        way.load(["a", "b"])
    load_tokenizer(str(encoder_folder)).save_pretrained(tmp_path)
    assert way.load(["b", "a"]).order == [1, 0]
    with pytest.raises(LecoError, match="other: It has the labels a, b, not a, c as the model has"):
        way.load(["a", "c"])


def test_from_pretrained_says_the_same(hostile):
    folder = hostile("model", "tokenizer_config.json", lambda _: MAPS[0])
    with pytest.raises(LecoError, match="which is never run"):
        MultiExitModel.from_pretrained(folder).predict(["y"])
