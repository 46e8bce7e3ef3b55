"""The exported graph leaves where PyTorch does and says the same, for every family and exit."""

import numpy as np
import onnx
import onnxruntime
import pytest

from leco import Cobee, MaxProbability, Static
from leco.exits.architecture import Architecture
from leco.export import ModelWriter, export_onnx
from leco.runtime import Session
from tiny import EVERY_ACTIVATION, EVERY_CELL, FAMILIES, family_model, sentences, text_model

TEXTS = [*sentences(24), "", ("", ""), ("a film", ""), "good " * 200]


def check(model, path, criterion, batch_sizes=(1, 7, 64)):
    """The file at `path` answers as the model does, at every batch size."""
    expected = model.predict(TEXTS, criterion=criterion)
    session = Session(path, threads=1)
    for batch_size in batch_sizes:
        answers = session.predict(TEXTS, criterion=criterion, batch_size=batch_size)
        assert [answer.exit_layer for answer in answers] == [answer.exit_layer for answer in expected]
        for answer, other in zip(answers, expected, strict=True):
            assert answer.scores == pytest.approx(other.scores, abs=1e-5, rel=1e-4)


@pytest.fixture(scope="module")
def model(tokenizer):
    return text_model(tokenizer)


@pytest.mark.parametrize(
    "architectures", [EVERY_CELL[i : i + 6] for i in range(0, len(EVERY_CELL), 6)] + [EVERY_ACTIVATION]
)
def test_every_operation(tokenizer, tmp_path, architectures):
    model = text_model(tokenizer, architectures=architectures, layers=len(architectures))
    export_onnx(model, tmp_path / "model.onnx", criterion=Cobee(tau=0.05))
    check(model, tmp_path / "model.onnx", Cobee(tau=0.05), batch_sizes=(1, 64))


@pytest.mark.parametrize(("family", "variant"), FAMILIES)
def test_families(tokenizer, tmp_path, family, variant):
    model = family_model(tokenizer, family, variant)
    for criterion in (
        (Cobee(tau=0.2), MaxProbability(tau=0.6), Static(1)) if family == "albert" else (MaxProbability(tau=0.6),)
    ):
        export_onnx(model, tmp_path / "model.onnx", criterion=criterion)
        check(model, tmp_path / "model.onnx", criterion)


def test_norms_are_not_fused(model, tmp_path):
    """ONNX Runtime's optimizer leaves the sums and norms as they are written: its fused norm is the slower one.

    Where it knows the dimensions, as here, it fuses what it can.
    """
    options = onnxruntime.SessionOptions()
    options.add_free_dimension_override_by_name("batch", 1)
    options.add_free_dimension_override_by_name("length", 8)
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    plain = ModelWriter(model).full_depth().SerializeToString()
    onnxruntime.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert kinds.count("LayerNormalization") == 1 + 2 * model.task.num_layers
    assert "SkipLayerNormalization" not in kinds


def test_what_exits_ask_of_the_padding_is_computed_once(tokenizer):
    model = text_model(tokenizer, architectures=[Architecture("null", "mha_2", "null", "avg", "tanh")] * 4, layers=4)
    graph = ModelWriter(model).early_exit(Cobee(tau=0.1)).graph
    assert [node.op_type for node in graph.node].count("LpNormalization") == 1
    branches = [attribute.g for node in graph.node if node.op_type == "If" for attribute in node.attribute]
    assert not any(node.op_type == "LpNormalization" for branch in branches for node in branch.node)


def test_plain_and_all_exits(model):
    encodings = [model.tokenizer(text) for text in ("a film", "good and long and dull")]
    for encoding in encodings:
        inputs = {name: np.array([encoding[name]]) for name in ("input_ids", "attention_mask", "token_type_ids")}
        texts = [model.tokenizer.decode(encoding["input_ids"], skip_special_tokens=True)]
        session = onnxruntime.InferenceSession(ModelWriter(model).all_exits().SerializeToString())
        scores, doubts, evidence = session.run(None, inputs)
        for layer in range(1, 7):
            (answer,) = model.predict(texts, criterion=Static(layer))
            np.testing.assert_allclose(scores[layer - 1, 0], list(answer.scores.values()), atol=1e-5)
        observed = model.exit_outputs([encoding])[1]
        np.testing.assert_allclose(doubts, observed["doubts"], atol=1e-5)
        np.testing.assert_allclose(evidence, observed["evidence"], atol=1e-5)
        plain = onnxruntime.InferenceSession(ModelWriter(model).full_depth().SerializeToString())
        probabilities, layers = plain.run(None, inputs)
        np.testing.assert_allclose(probabilities[0], scores[-1, 0], atol=1e-6)
        assert layers.tolist() == [6]
