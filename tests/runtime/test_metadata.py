"""Whatever an exported file says of itself, and however it is used: an answer, or one sentence that says why not."""

import json
from contextlib import suppress
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from leco import Cobee, Entropy, LecoError, Patience, Static
from leco.export import ModelWriter, export_onnx
from leco.export.files import write_model
from leco.runtime import Session, session
from tiny import text_model
from values import VALUES

NOT_GIVEN = object()
NAMES = ["labels", "problem_type", "layers", "criterion", "int8", "max_length", "padding"]


@pytest.fixture(scope="module")
def model(tokenizer):
    return text_model(tokenizer, layers=2)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(model, path, criterion=Cobee(tau=0.3))
    return path


@pytest.fixture(scope="module")
def rewrite(file, tmp_path_factory):
    """Writes the file with some of its metadata changed."""
    made = onnx.load(file)
    props = {prop.key: prop.value for prop in made.metadata_props}
    path = tmp_path_factory.mktemp("changed") / "model.onnx"

    def write(**changes):
        texts = {**props, **{f"leco.{name}": text for name, text in changes.items()}}
        helper.set_model_props(made, {name: text for name, text in texts.items() if text is not NOT_GIVEN})
        path.write_bytes(made.SerializeToString())
        return path

    return write


def test_it_is_read_as_it_was_written(rewrite):
    assert Session(rewrite()).predict(["a film"])
    assert Session(rewrite(note='"of mine"')).metadata["note"] == "of mine"


@pytest.mark.parametrize("name", [*NAMES, "tokenizer"])
@pytest.mark.parametrize("text", [NOT_GIVEN, "", "null", "[]", "{", "9" * 5000, "[" * 10**5, "NaN", "-1", '"\\ud800"'])
def test_what_it_needs_is_missing_or_of_another_kind(rewrite, name, text):
    with pytest.raises(LecoError, match=r"is no file that 'leco export' wrote, .*Export the model again"):
        Session(rewrite(**{name: text}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"criterion": {"name": "pcee", "tau": 0.1, "patience": 1}},
            "names the criterion 'pcee', but its graph is 'cobee'",
        ),
        ({"criterion": {"name": "entropy"}}, "names the criterion 'entropy', but its graph is 'cobee'"),
        ({"criterion": {"name": "kobee"}}, "Unknown exit criterion 'kobee'"),
        ({"criterion": {"name": ["cobee"]}}, "Unknown exit criterion"),
        ({"criterion": {"name": "cobee", "tau": -1}}, "tau must be at least 0"),
        ({"criterion": {"name": "cobee", "patience": 10**18}}, "patience must be at most 2147483647"),
        ({"criterion": {"name": "cobee", "zeta": 1}}, "zeta"),
        ({"criterion": {}}, "has no name"),
        ({"labels": ["a", "b"]}, "gives 3 scores, but its metadata has 2 labels"),
        ({"labels": ["a", "b", "b"]}, "its labels are a, b, b"),
        ({"labels": ["a", "b", 3]}, "labels.2: Input should be a valid string"),
        ({"labels": []}, "its labels are none"),
        ({"problem_type": "ranking"}, "there is no problem type 'ranking'"),
        ({"problem_type": "multi_label_classification"}, "not defined for the problem type"),
        ({"problem_type": "regression"}, "its labels are a, b, c"),
        ({"layers": 0}, "it has 0 layers"),
        ({"layers": "2"}, "layers: Input should be a valid integer"),
        ({"max_length": 0}, "at most 0 tokens"),
        ({"max_length": 40.5}, "max_length: Input should be a valid integer"),
        ({"padding": {"input_ids": None}}, "padding.input_ids: Input should be a valid integer"),
        ({"tokenizer": {}}, "Model missing"),
        ({"certificate": {"bound": 0.1}}, "the certificate is not as it was written"),
        ({"certificate": 3}, "certificate: Input should be an object"),
        ({"std": 0.0}, "its values have the standard deviation 0.0"),
        ({"std": "1"}, "std: Input should be a valid number"),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else None,
)
def test_what_it_says_is_not_so(rewrite, changes, message):
    path = rewrite(**{name: json.dumps(value) for name, value in changes.items()})
    with pytest.raises(LecoError) as error:
        Session(path)
    assert message in str(error.value)
    assert len(str(error.value)) < 700


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*NAMES, "tokenizer", "x"]), st.text(max_size=9) | VALUES.map(json.dumps), min_size=1
    )
)
def test_any_metadata_is_an_answer_or_refused(rewrite, changes):
    with suppress(LecoError):
        Session(rewrite(**changes)).predict(["a film", ("a", "pair of texts " * 30)])


def test_int8_of_before_says_that_answers_depend_on_the_batch(rewrite):
    assert Session(rewrite()).precision == "float32"
    assert Session(rewrite(int8="true")).precision == "int8"
    for before in (NOT_GIVEN, "false"):
        assert Session(rewrite(int8="true", batch_invariant=before)).precision == "int8 by batch"
        assert Session(rewrite(batch_invariant=before)).precision == "float32"


@pytest.mark.parametrize("before", [NOT_GIVEN, "false"])
def test_int8_of_before_says_that_answers_depend_on_the_processor(rewrite, monkeypatch, capsys, before):
    assert Session(rewrite(processor_invariant=before)).precision == "float32"
    for in_16_bits in (True, False):
        monkeypatch.setattr(session, "adds_in_16_bits", lambda said=in_16_bits: said)
        assert Session(rewrite(int8="true")).precision == "int8"
        assert not capsys.readouterr().err
        assert Session(rewrite(int8="true", processor_invariant=before)).precision == "int8 by processor"
        said = capsys.readouterr().err
        assert ("answers can be wrong: export the model again" in said) == in_16_bits
        assert said.count("warning") == in_16_bits


@pytest.mark.parametrize(
    ("machine", "flags", "so"),
    [
        ("x86_64", "flags : sse avx2 fma", True),
        ("AMD64", None, True),
        ("x86_64", "flags : avx512f avx512_vnni", False),
        ("x86_64", "flags : avx2 avx_vnni", False),
        ("arm64", None, False),
        ("aarch64", "Features : asimd", False),
    ],
)
def test_processors_that_add_in_16_bits(monkeypatch, tmp_path, machine, flags, so):
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(flags)
    monkeypatch.setattr(session, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(session.platform, "machine", lambda: machine)
    assert session.adds_in_16_bits() == so


def test_graphs_that_are_not_what_they_say(model, file, tmp_path):
    made = onnx.load(file)
    faults = (
        lambda graph: graph.output.pop(),
        lambda graph: graph.input.pop(),
        lambda graph: setattr(graph.input[0].type.tensor_type, "elem_type", onnx.TensorProto.INT32),
        lambda graph: setattr(graph, "name", "other"),
    )
    for fault in faults:
        broken = onnx.ModelProto()
        broken.CopyFrom(made)
        fault(broken.graph)
        (tmp_path / "x.onnx").write_bytes(broken.SerializeToString())
        with pytest.raises(LecoError, match="is no file that 'leco export' wrote"):
            Session(tmp_path / "x.onnx")
    whole = file.read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "x.onnx").write_bytes(whole[:size])
        with pytest.raises(LecoError, match="is no file that 'leco export' wrote"):
            Session(tmp_path / "x.onnx")


def test_a_graph_without_exits_has_no_settings(model, tmp_path):
    write_model(ModelWriter(model).full_depth(), tmp_path / "x.onnx", model, Static())
    assert {answer.exit_layer for answer in Session(tmp_path / "x.onnx").predict(["a film", "good"])} == {2}


def test_a_tokenizer_that_knows_more_words_than_the_graph(file, rewrite):
    tokenizer = json.loads({prop.key: prop.value for prop in onnx.load(file).metadata_props}["leco.tokenizer"])
    words = tokenizer["model"]["vocab"]
    words["film"] = 10**6
    with pytest.raises(LecoError, match=r"The file cannot answer these texts: .*input_ids"):
        Session(rewrite(tokenizer=json.dumps(tokenizer))).predict(["a film"])


@pytest.mark.parametrize("path", [None, 7, "", ".", "x" * 5000, "a\0b", Path("x" * 300), b"model.onnx"], ids=ascii)
def test_what_is_no_file(path):
    with pytest.raises(LecoError, match=r"^The file '.*' does not exist\. 'leco export DIR --to onnx' writes one\.$"):
        Session(path)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", 2**40, float("nan")])
def test_what_is_no_number_of_threads(file, threads):
    with pytest.raises(LecoError, match="The threads must be a whole number from 1 to 1024, not"):
        Session(file, threads=threads)


def test_another_criterion_or_one_whose_settings_do_not_fit(file):
    for criterion in (Entropy(), Patience()):
        with pytest.raises(LecoError, match="exits by 'cobee', not by"):
            Session(file).predict(["a"], criterion)
