"""Whatever is in a file of a run or of a model, only a LecoError comes out: one sentence that names the file."""

import contextlib
import copy
import io
import json
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leco import LecoError
from leco.cli.output import print_evaluation
from leco.evaluation import read_evaluation
from leco.exits.architecture import load_architectures
from leco.model import load_config, load_model, load_tokenizer
from leco.report import gather, render
from leco.run_folder import check_folder, trained_on
from leco.search.history import SearchHistory
from leco.training.log import TrainingLog


def results(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        print_evaluation(read_evaluation(folder / "results.json").to_dict(), next_commands=["x"], output=folder)


def report(folder):
    render(gather(folder, load_model(folder)))


def run(folder):
    with contextlib.suppress(LecoError):
        check_folder(folder)
    trained_on(folder)


def encoder(folder):
    load_tokenizer(str(folder), load_config(str(folder)))


READERS = {
    "run.json": run,
    "training.json": lambda folder: TrainingLog.load(folder / "training.json"),
    "search.json": lambda folder: SearchHistory.load(folder / "search.json"),
    "architectures.json": lambda folder: load_architectures(folder / "architectures.json", 3),
    "results.json": results,
    "config.json": load_model,
    "tokenizer_config.json": load_model,
    "tokenizer.json": load_model,
}
"""What reads each file of a finished folder; the page reads most of them too."""
ON_THE_PAGE = ("training.json", "search.json", "results.json")

CONTENTS = {
    "empty": b"",
    "cut": b'{"settings": {',
    "noise": b"\x00\xff\xfe",
    "not UTF-8": b'{"a": "\xe9"}',
    "half a character": b'{"model_type": "leco", "a": "\\ud800"}',
    "null": b"null",
    "a number": b"7",
    "a text": b'"text"',
    "a list": b"[]",
    "an object": b"{}",
    "a list of objects": b"[{}, {}, {}]",
    "5,000 digits": b'{"seconds": ' + b"9" * 5000 + b"}",
    "NaN": b'{"seconds": NaN}',
    "1e999": b'{"seconds": 1e999}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "of other types": b'{"settings": 3, "epochs": "x", "weights": 1, "model_type": ["leco"], "auto_map": 1}',
}


def one_sentence(read, folder, *, may_be_read=False):
    """Reads, and looks at the error."""
    found = None
    try:
        read(folder)
    except LecoError as error:
        found = str(error)
    assert may_be_read or found, "it was read as if nothing were wrong"
    assert "\n" not in (found or "")
    assert len(found or "") < 800


@pytest.fixture(scope="module")
def folder(tmp_path_factory, fitted):
    """A finished folder to be harmed, and made whole again, by one test after the other."""
    folder = tmp_path_factory.mktemp("broken") / "model"
    shutil.copytree(fitted, folder)
    return folder


@contextlib.contextmanager
def holding(path, content):
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("name", READERS)
def test_a_file_with_other_contents(folder, name, content):
    harmless = content == b"{}" and name == "tokenizer_config.json"
    with holding(folder / name, content):
        one_sentence(READERS[name], folder, may_be_read=harmless)
        if name in ON_THE_PAGE:
            one_sentence(report, folder)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_an_encoder_with_other_contents(tmp_path, encoder_folder, name, content):
    shutil.copytree(encoder_folder, tmp_path / "encoder")
    with holding(tmp_path / "encoder" / name, content):
        one_sentence(encoder, tmp_path / "encoder", may_be_read=True)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["leco", "cobee", "linear"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value, path=()):
    """The way to each part of a value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


@st.composite
def changed(draw, value):
    """The value with one part replaced, taken out or written twice."""
    value = copy.deepcopy(value)
    *parents, last = draw(st.sampled_from([place for place in places(value) if place][:400]))
    parent = value
    for key in parents:
        parent = parent[key]
    how = draw(st.sampled_from(["replace", "replace", "remove", "repeat"]))
    if how == "replace":
        parent[last] = draw(VALUES)
    elif how == "remove":
        del parent[last]
    elif isinstance(parent, list):
        parent.append(parent[last])
    else:
        parent[f"{last}_"] = parent[last]
    return value


@pytest.mark.parametrize("name", READERS)
def test_a_file_with_one_part_changed(folder, name):
    whole = json.loads((folder / name).read_bytes())

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(changed(whole))
    def try_it(value):
        with holding(folder / name, json.dumps(value).encode()):
            one_sentence(READERS[name], folder, may_be_read=True)
            if name in ON_THE_PAGE:
                one_sentence(report, folder, may_be_read=True)

    try_it()


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_was_cut(folder, name):
    whole = (folder / name).read_bytes()
    for length in range(0, len(whole) - 1, 1 + len(whole) // 12):
        with holding(folder / name, whole[:length]):
            one_sentence(READERS[name], folder)


def test_weights_that_are_not_finite(tmp_path, fitted):
    from safetensors.torch import load_file, save_file

    shutil.copytree(fitted, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    weights["exits.1.classifier.bias"][0] = float("nan")
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LecoError, match=r"is broken: the weight 'exits\.1\.classifier\.bias' is nan\. Train the model"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("name", ["--output", "--model"])
def test_names_of_more_than_255_characters(leco, encoder_folder, reviews, tmp_path, name):
    given = {"--model": encoder_folder, "--data": reviews, "--output": tmp_path / "out", "--exits": "linear"}
    given[name] = tmp_path / ("x" * 300)
    result = leco("train", *(word for pair in given.items() for word in pair))
    assert (result.code, result.out) == (2, "")
    assert "File name too long" in result.err
    assert "Traceback" not in result.err
