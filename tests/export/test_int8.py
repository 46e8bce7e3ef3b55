"""An int8 file gives a text one answer, alone, in a batch and padded; and it multiplies as its formulas say."""

import numpy as np
import pytest
import torch
from onnx import helper
from torch import nn

from leco import Cobee, Static
from leco.data import collate, minilm_folder, padding
from leco.export import ModelWriter, export_onnx, ranges
from leco.export.graph import FLOAT, INT64, MICROSOFT, Graph, make_model
from leco.export.int8 import LARGEST, LEAST, SMOOTHING, Int8, by_token, quantize, smoothing
from leco.model import build_model, load_backbone
from leco.problems import SINGLE_LABEL
from leco.runtime import Session
from leco.runtime.session import open_session
from leco.tokens import pad
from tiny import FAMILIES, MIXED, family_model, sentences, spread_answers, text_model

TEXTS = [*sentences(20), "", ("", ""), ("a film", ""), "good " * 200]


def all_exits(model):
    """Runs the scores [M, N, K] of all exits of the int8 graph, for texts in batches that are padded so far."""
    session = open_session(ModelWriter(model, int8=True).all_exits().SerializeToString())
    names = [value.name for value in session.get_inputs()]
    encodings = model.encode(TEXTS)

    def run(batch_size, multiple=1):
        scores = []
        for start in range(0, len(encodings), batch_size):
            batch = pad(encodings[start : start + batch_size], padding(model.tokenizer), multiple)
            scores.append(session.run(["scores"], {name: batch[name] for name in names})[0])
        return np.concatenate(scores, axis=1)

    return run


def check_one_answer(model, path, length):
    """What all exits say, and where the file leaves, at every batch size and padded to `length`."""
    run = all_exits(model)
    alone = run(1)
    assert np.ptp(alone, axis=1).max() > 0.1, "texts get different answers"
    for batch_size, multiple in ((7, 1), (len(TEXTS), 1), (1, length), (7, length)):
        np.testing.assert_allclose(run(batch_size, multiple), alone, rtol=0, atol=1e-5)
    export_onnx(model, path, criterion=Cobee(tau=0.3), int8=True)
    session = Session(path, threads=1)
    expected = session.decide(session.encode(TEXTS))
    assert len(set(expected.exit_layers.tolist())) > 1 or len(alone) == 2
    for batch_size in (7, len(TEXTS)):
        found = session.decide(session.encode(TEXTS), batch_size=batch_size)
        assert found.exit_layers.tolist() == expected.exit_layers.tolist()
        np.testing.assert_allclose(found.scores, expected.scores, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("family", "variant"), FAMILIES)
def test_one_answer(tokenizer, tmp_path, family, variant):
    check_one_answer(family_model(tokenizer, family, variant), tmp_path / "model.onnx", length=40)


def test_one_answer_with_real_weights(tokenizer, tmp_path):
    exits = [MIXED[number % len(MIXED)] for number in range(6)]
    model = build_model(load_backbone(str(minilm_folder())), exits, ["a", "b"], problem_type=SINGLE_LABEL).eval()
    model.tokenizer = tokenizer
    spread_answers(model, collate(tokenizer, model.encode(sentences(40))))
    check_one_answer(model, tmp_path / "model.onnx", length=256)


def test_it_is_smaller_and_nearly_the_same(tokenizer, tmp_path):
    model = text_model(tokenizer)
    for int8, name in ((True, "int8.onnx"), (False, "float.onnx")):
        export_onnx(model, tmp_path / name, criterion=Static(), int8=int8)
    assert (tmp_path / "int8.onnx").stat().st_size < (tmp_path / "float.onnx").stat().st_size
    exact, rounded = (Session(tmp_path / name).predict(TEXTS) for name in ("float.onnx", "int8.onnx"))
    difference = [
        abs(a.scores[name] - b.scores[name]) for a, b in zip(exact, rounded, strict=True) for name in a.scores
    ]
    assert 0 < max(difference) < 0.2


def test_neighbours_of_a_matrix_leave_room_in_16_bits():
    random = np.random.default_rng(0)
    for weight in (random.normal(size=(384, 50)), random.uniform(0.4, 1, (7, 50)), -np.ones((2, 3)), np.zeros((3, 2))):
        values, scale = quantize(weight.astype(np.float32))
        assert (np.abs(weight - values * scale) < scale * 0.501).all()
        for start in range(0, len(values), 2):
            pair = values[start : start + 2].astype(int)
            assert np.maximum(pair.clip(min=0).sum(0), -pair.clip(max=0).sum(0)).max() * 255 < 2**15


def test_integers_that_are_large_together_are_multiplied_as_they_are():
    x, weight = np.full((1, 1, 64), 3, np.float32), np.ones((64, 5), np.float32)
    np.testing.assert_allclose(run(lambda graph: by_token(graph, "x", weight), x), 192, rtol=1e-3)


def test_what_is_nearly_nothing_is_nothing():
    values, scale = quantize(np.full((2, 3), 1e-45, np.float32))
    assert not values.any()
    assert (scale == 1).all()


def test_a_careful_session_multiplies_the_integers_of_before_as_they_are():
    """In the outermost graph, whatever the processor; as `leco` 0.1 wrote them."""
    x, weight = np.full((1, 1, 64), 3, np.float32), np.full((64, 5), 127, np.int8)

    def write(graph):
        inputs = ["x", graph.weight(weight), graph.constant(1 / 127, np.float32)]
        return graph.op("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)

    np.testing.assert_allclose(run(write, x, careful=True), 192, rtol=1e-3)


def run(write, x, *, careful=False):
    """What a written product gives of `x` [b, L, n]."""
    graph = Graph()
    inputs = [
        helper.make_tensor_value_info("x", FLOAT, [None] * x.ndim),
        helper.make_tensor_value_info("input_ids", INT64, ["b", "length"]),
    ]
    made = make_model(graph, inputs, [graph.output(write(graph), "y", FLOAT, [None] * x.ndim)], 18)
    session = open_session(made.SerializeToString(), careful=careful)
    return session.run(None, {"x": x, "input_ids": np.zeros(x.shape[:2], np.int64)})[0]


@pytest.fixture
def product():
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 3, 8)).astype(np.float32) * random.uniform(0.1, 30, (2, 3, 1)).astype(np.float32)
    return x, random.normal(size=(8, 5)).astype(np.float32)


@pytest.mark.parametrize("positive", [False, True])
def test_each_token_has_its_own_scale(product, positive):
    x, weight = product
    x[0, 0] = 0
    x = np.maximum(x, -LEAST) if positive else x
    values, scale = quantize(weight)
    layer = nn.Linear(8, 5)
    layer.weight.data, layer.bias.data = torch.from_numpy(weight.T), torch.zeros(5)
    expected = np.empty((2, 3, 5))
    for row, token in np.ndindex(2, 3):
        own = max(abs(x[row, token]).max(), LEAST if positive else 1e-30) / LARGEST
        expected[row, token] = np.round(x[row, token] / own) @ values.astype(float) * own * scale
    found = run(
        lambda graph: Int8({}).after_activation(graph, "x", layer) if positive else by_token(graph, "x", weight), x
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found, x @ weight, atol=abs(x).max() * 0.1)


def test_a_constant_scale_is_as_far_as_the_ranges_reach(product):
    x, weight = product
    layer = nn.Linear(8, 5)
    layer.weight.data = torch.from_numpy(weight.T)
    reach = abs(x).max((0, 1))
    expected = x @ weight + layer.bias.detach().numpy()
    for write in (Int8({layer: reach}).after_norm, Int8({layer: reach}).after_attention):
        found = run(lambda graph, write=write: write(graph, "x", layer), x)
        np.testing.assert_allclose(found, expected, atol=abs(x).max() * 0.1)
        beyond = run(lambda graph, write=write: write(graph, "x", layer), x * 100)
        assert abs(beyond).max() < abs(expected).max() * 10, "what goes beyond the ranges is cut"


def test_smoothing_is_that_of_the_paper():
    """Equation 4: max |X_j|^a / max |W_j|^(1 - a) for each channel; a channel that is never used stays as it is."""
    reach, weight = np.array([2.0, 50.0, 0.0, 3.0]), np.array([[0.5, -4.0], [1.0, 0.1], [1.0, 1.0], [0.0, 0.0]])
    expected = [2**SMOOTHING / 4 ** (1 - SMOOTHING), 50**SMOOTHING, 1, 1]
    np.testing.assert_allclose(smoothing(reach, weight), expected, rtol=1e-6)


def test_ranges_are_those_of_the_tokens_alone(tokenizer, monkeypatch):
    model = text_model(tokenizer, layers=2)
    together = ranges.input_ranges(model)
    monkeypatch.setattr(ranges, "BATCH_SIZE", 1)
    alone = ranges.input_ranges(model)
    assert {module.in_features for module in together} == {16, 24}
    assert list(together) == list(alone)
    for one, other in zip(together.values(), alone.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)
    assert not any(module._forward_pre_hooks for module in model.modules())
