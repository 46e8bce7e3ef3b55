"""The exported file on its own: in Python without PyTorch, in Node, with bad input, and what it says of itself."""

import copy
import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from google.protobuf.message import EncodeError
from transformers import AutoConfig

from leco import Cobee, Entropy, FPabee, LecoError, Oracle, Static
from leco.criteria import setting_arrays
from leco.export import export_onnx
from leco.export.criteria import WRITERS
from leco.runtime import Session
from tiny import TINY, encoder, family_model, sentences, text_model

TEXTS = [text for text in sentences(12) if isinstance(text, str)]
CRITERION = Cobee(tau=0.3)


@pytest.fixture(scope="module")
def model(tokenizer):
    return text_model(tokenizer)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(model, path, criterion=CRITERION)
    return path


@pytest.fixture(scope="module")
def session(file):
    return onnxruntime.InferenceSession(str(file))


def inputs(*rows, dtype=np.int64):
    ids = np.array(rows, dtype).reshape(len(rows), -1)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def masked(*rows):
    mask = np.array(rows)
    return inputs(*np.full_like(mask, 101)) | {"attention_mask": mask}


def test_predict_without_pytorch(model, file):
    script = (
        "import json, sys; from leco.runtime import Session; "
        "answers = Session(sys.argv[1], threads=1).predict(sys.argv[2:], batch_size=4); "
        "print(json.dumps([answer.to_dict() for answer in answers])); "
        "print(*(sys.modules.keys() & {'torch', 'transformers', 'onnx'}))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file), *TEXTS], capture_output=True, text=True, check=True)
    answers, heavy = done.stdout.splitlines()
    assert not heavy
    for answer, expected in zip(json.loads(answers), model.predict(TEXTS, CRITERION), strict=True):
        assert (answer["label"], answer["exit_layer"]) == (expected.label, expected.exit_layer)
        assert answer["scores"] == pytest.approx(expected.scores, abs=1e-5)


def test_settings_are_inputs_with_defaults(model, file):
    answers = Session(file).predict(TEXTS)
    assert answers == Session(file).predict(TEXTS, criterion=CRITERION)
    for tau, layers in ((0, {6}), (2.0, {2})):
        answers = Session(file).predict(TEXTS, criterion=Cobee(tau=tau))
        assert {answer.exit_layer for answer in answers} == layers
    with pytest.raises(LecoError, match=r"exits by 'cobee', not by 'entropy'\. Export the model again with criterion"):
        Session(file).predict(TEXTS, criterion=Entropy())


@pytest.mark.parametrize("side", ["left", "right"])
def test_long_texts_and_pairs_are_cut_on_the_side_on_which_the_model_cuts_them(tokenizer, tmp_path, side):
    model = text_model(copy.deepcopy(tokenizer))
    model.tokenizer.truncation_side = side
    export_onnx(model, tmp_path / "model.onnx")
    words = " ".join(TEXTS).split()
    long = [" ".join(words[start:]) for start in range(8)]
    session = Session(tmp_path / "model.onnx")
    for texts in (
        long,
        [(one, TEXTS[0]) for one in long],
        [(TEXTS[0], one) for one in long],
        [(one, one) for one in long],
    ):
        for own, files in zip(model.encode(texts), session.encode(texts), strict=True):
            assert len(own["input_ids"]) == model.max_length < len(words)
            assert list(own["input_ids"]) == list(files["input_ids"])


@pytest.mark.parametrize("family", ["bert", "deberta-v2"])
def test_a_model_in_16_bits_is_exported_in_32_and_stays_as_it_is(tokenizer, tmp_path, family):
    model = family_model(tokenizer, family, {}).prepare(bf16=True)
    export_onnx(model, tmp_path / "model.onnx", criterion=Entropy(0.9))
    assert {one.dtype for one in model.backbone.parameters()} == {torch.bfloat16}
    model.float()
    answers = Session(tmp_path / "model.onnx").predict(TEXTS)
    for own, files in zip(model.predict(TEXTS, Entropy(0.9)), answers, strict=True):
        assert own.exit_layer == files.exit_layer
        assert own.scores == pytest.approx(files.scores, abs=1e-5)


def test_a_graph_that_the_format_cannot_hold_is_refused_and_nothing_is_left(model, tmp_path, monkeypatch):
    def fails(graph):
        raise EncodeError("Failed to serialize proto")

    monkeypatch.setattr(onnx.ModelProto, "SerializeToString", fails)
    with pytest.raises(LecoError, match="larger than 2 GiB"):
        export_onnx(model, tmp_path / "model.onnx")
    assert not [*tmp_path.iterdir()]


def test_a_setting_in_words_is_an_input_too(model, tmp_path):
    export_onnx(model, tmp_path / "model.onnx", criterion=FPabee(tau=0.5, similarity="kd"))
    session = Session(tmp_path / "model.onnx")
    assert session.criterion == FPabee(tau=0.5, similarity="kd")
    assert session.predict(TEXTS) == session.predict(TEXTS, "f-pabee:tau=0.5,similarity=kd")
    assert session.predict(TEXTS) != session.predict(TEXTS, "f-pabee:tau=0.5,similarity=jensen-shannon")
    plain = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    ids = session.collate(session.encode(TEXTS))
    for word in ("kd", "jensen-shannon"):
        _, layers = plain.run(None, ids | {"similarity": np.array(word)})
        expected = session.predict(TEXTS, FPabee(tau=0.5, similarity=word))
        assert layers.tolist() == [answer.exit_layer for answer in expected]


def test_what_the_file_says_of_itself(model, file):
    onnx.checker.check_model(onnx.load(file).SerializeToString())
    session = Session(file)
    assert session.criterion == CRITERION
    assert session.label_names == model.config.label_names
    assert session.metadata["versions"]["leco"]
    assert {"source", "layers", "max_length", "problem_type"} <= set(session.metadata)


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (
            {name: np.zeros((0, 5), np.int64) for name in inputs([1])},
            "input_ids is empty",
        ),
        (
            {name: np.zeros((2, 0), np.int64) for name in inputs([1])},
            "input_ids is empty",
        ),
        (inputs([101, 10**6, 102]), "input_ids"),
        (inputs([101, -1, 102]), "input_ids has a negative id"),
        (inputs([101] * 41), "input_ids must have at most 40 tokens"),
        (inputs([101, 102]) | {"token_type_ids": np.array([[0, 7]])}, "token_type_ids"),
        (inputs([101, 102], dtype=np.int32), r"data type. Actual: \(tensor\(int32\)\) , expected: \(tensor\(int64\)\)"),
        (inputs([101, 102]) | {"tau": np.array(np.nan, np.float32)}, "tau is not a number"),
        (inputs([101, 102]) | {"tau": np.array("a lot")}, r"data type. Actual: \(tensor\(string\)\)"),
        ({"input_ids": np.array([[101, 102]])}, "attention_mask"),
        (inputs([101, 102]) | {"tau": np.array(-1e-9, np.float32)}, "tau is not a number from 0 up"),
        (inputs([101, 102]) | {"tau": np.array(np.inf, np.float32)}, "tau is not a number from 0 up"),
        (inputs([101, 102]) | {"tau": np.array(-np.inf, np.float32)}, "tau is not a number from 0 up"),
        (inputs([101, 102]) | {"patience": np.array(0)}, "patience is not from 1 up"),
        (inputs([101, 102]) | {"patience": np.array(-1)}, "patience is not from 1 up"),
        (inputs([101, 102]) | {"attention_mask": np.array([[1, 2]])}, "attention_mask is neither 0 nor 1"),
        (inputs([101, 102]) | {"attention_mask": np.array([[1, -1]])}, "attention_mask is neither 0 nor 1"),
        (inputs([101, 102]) | {"attention_mask": np.array([[1, 2**32]])}, "attention_mask is neither 0 nor 1"),
        (inputs([101, 102]) | {"token_type_ids": np.array([[0, -1]])}, "token_type_ids has a negative type"),
        (masked([0, 0, 0]), "attention_mask must be 1 at the tokens of each text, then 0"),
        (masked([0, 1, 1]), "attention_mask must be 1 at the tokens of each text, then 0"),
        (masked([1, 0, 1]), "attention_mask must be 1 at the tokens of each text, then 0"),
        (masked([1, 1, 1], [0, 0, 0]), "attention_mask must be 1 at the tokens of each text, then 0"),
        (masked([1, 1, 0], [0, 1, 1]), "attention_mask must be 1 at the tokens of each text, then 0"),
        (masked([0]), "attention_mask must be 1 at the tokens of each text, then 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bad_input_is_an_error_that_names_it(session, feed, message):
    with pytest.raises(Exception, match=message):
        session.run(None, feed)
    session.run(None, inputs([101, 102]))  # and it still works


def test_padding_at_the_right_changes_nothing(session):
    alone = session.run(None, inputs([101, 2023, 102]))
    padded = masked([1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1])
    padded["input_ids"][0] = [101, 2023, 102, 0, 0]
    scores, layers = session.run(None, padded)
    np.testing.assert_allclose(scores[:1], alone[0], rtol=0, atol=1e-5)
    assert layers[0] == alone[1]


@pytest.mark.parametrize("kind", WRITERS, ids=lambda kind: kind.name)
def test_the_settings_of_every_criterion_are_checked(tokenizer, tmp_path, kind):
    """Just inside of its range each is taken, and just outside it is an error that names it."""
    model = text_model(tokenizer, layers=2, outputs=3)
    export_onnx(model, tmp_path / "model.onnx", criterion=kind())
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    checked = 0
    for name, array in setting_arrays(kind()).items():
        if array.dtype == bool:
            continue
        checked += 1
        allowed = kind.__dataclass_fields__[name].metadata
        if allowed["choices"]:
            for word in allowed["choices"]:
                session.run(None, inputs([101, 102]) | {name: np.array(word)})
            for word in ("", "a", allowed["choices"][0].upper()):
                with pytest.raises(Exception, match=f"{name} is not one of {', '.join(allowed['choices'])}"):
                    session.run(None, inputs([101, 102]) | {name: np.array(word)})
            continue
        low, high = allowed["minimum"], allowed["maximum"] or (2 if name == "layer" else np.finfo(np.float32).max)
        right, wrong = [low, high], [-(2**31)]
        if low is None:
            right, wrong = [np.nextafter(np.float32(allowed["above"]), np.float32(1)), high], [*wrong, allowed["above"]]
        else:
            wrong += [low - 1]
        if array.dtype == np.float32:
            wrong += [np.nan, np.inf, -np.inf]
        if high < 2**31:
            wrong += [high + 1]
        for value in wrong:
            with pytest.raises(Exception, match=f"{name} is not "):
                session.run(None, inputs([101, 102]) | {name: np.array(value, array.dtype)})
        for value in right if name != "patience" else [low, 2**31]:
            session.run(None, inputs([101, 102]) | {name: np.array(value, array.dtype)})
    assert checked


def test_too_many_tokens_where_positions_are_counted_from_the_ids(tokenizer, tmp_path):
    settings = {"num_hidden_layers": 1, "vocab_size": len(tokenizer), "pad_token_id": 0}
    backbone = encoder(AutoConfig.for_model("roberta", **{**TINY, **settings}))
    export_onnx(text_model(tokenizer, backbone, max_tokens=16), tmp_path / "model.onnx", criterion=Static())
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    with pytest.raises(Exception, match="input_ids must have at most 19 tokens"):
        session.run(None, inputs([101] * 30))


def test_bad_use_of_the_session(file, tmp_path):
    with pytest.raises(LecoError, match=r"nothing\.onnx' does not exist"):
        Session(tmp_path / "nothing.onnx")
    (tmp_path / "foreign.onnx").write_bytes(b"no model")
    with pytest.raises(LecoError, match="is no file that 'leco export' wrote"):
        Session(tmp_path / "foreign.onnx")
    with pytest.raises(LecoError, match="list of texts"):
        Session(file).predict("a text")
    with pytest.raises(LecoError, match="at least 1, not 0"):
        Session(file).predict(["a text"], batch_size=0)
    assert Session(file).predict([]) == []


def test_what_cannot_be_exported(model, tmp_path):
    with pytest.raises(LecoError, match=r"Unknown criterion for ONNX 'oracle'.*cobee"):
        export_onnx(model, tmp_path / "model.onnx", criterion=Oracle())
    with pytest.raises(LecoError, match="opset must be from 18"):
        export_onnx(model, tmp_path / "model.onnx", opset=11)
    with pytest.raises(LecoError, match="at most 6"):
        export_onnx(model, tmp_path / "model.onnx", criterion=Static(7))
    assert not list(tmp_path.iterdir())


NODE = """
const ort = require("onnxruntime-node");
const [file, batch] = [process.argv[2], JSON.parse(process.argv[3])];
ort.InferenceSession.create(file).then(async (session) => {
  const feeds = Object.fromEntries(Object.entries(batch).map(([name, rows]) =>
    [name, new ort.Tensor("int64", BigInt64Array.from(rows.flat().map(BigInt)), [rows.length, rows[0].length])]));
  const { probabilities, exit_layer } = await session.run(feeds);
  const layers = Array.from(exit_layer.data).map(Number);
  console.log(JSON.stringify({ probabilities: Array.from(probabilities.data), layers }));
});
"""


def test_node_gives_the_same_answers(model, file, tmp_path):
    """With `onnxruntime-node`, where npm and the package can be had."""
    if not shutil.which("npm"):
        pytest.skip("no npm: the file cannot be tried in Node")
    flags = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]  # its script fetches what CPUs do not need
    install = ["npm", "install", *flags, "onnxruntime-node@1.30.0"]
    if subprocess.run(install, cwd=tmp_path, capture_output=True, check=False, timeout=300).returncode:
        pytest.skip("npm cannot install onnxruntime-node")
    (tmp_path / "run.cjs").write_text(NODE)
    session = Session(file)
    batch = session.collate(session.encode(TEXTS))
    arguments = [str(file), json.dumps({name: values.tolist() for name, values in batch.items()})]
    done = subprocess.run(["node", "run.cjs", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
    printed = json.loads(done.stdout)
    expected = session.predict(TEXTS, batch_size=len(TEXTS))
    assert printed["layers"] == [answer.exit_layer for answer in expected]
    scores = [score for answer in expected for score in answer.scores.values()]
    assert printed["probabilities"] == pytest.approx(scores, abs=1e-5)
