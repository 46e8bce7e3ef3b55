"""Exits as ONNX nodes say what they say in PyTorch."""

from itertools import combinations_with_replacement

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import helper

from leco import LecoError
from leco.exits.architecture import Architecture
from leco.exits.modules import build_exit
from leco.exits.operations import ACTIVATIONS, ENCODERS, POOLERS, Encoder, Pooler
from leco.export.exits import Tokens, write_exit
from leco.export.graph import FLOAT, INT32, Graph, make_model

HIDDEN, WIDTH, LABELS = 16, 8, 3
ALL = Tokens("mask", batch_mask="mask")
PAIRS = [pair for pair in combinations_with_replacement(ENCODERS, 2) if set(pair) != {"null"}]


def both(architecture):
    """The logits of a random batch with padding, in PyTorch and in ONNX Runtime."""
    torch.manual_seed(0)
    leave = build_exit(architecture, HIDDEN, LABELS).eval()
    hidden, mask = torch.randn(3, 7, HIDDEN), torch.ones(3, 7, dtype=torch.int32)
    mask[1, 4:] = mask[2, 1:] = 0
    graph = Graph()
    logits = graph.output(write_exit(graph, architecture, leave, "hidden", ALL)[0], "logits", FLOAT, ["b", LABELS])
    inputs = [
        helper.make_tensor_value_info("hidden", FLOAT, ["b", "length", HIDDEN]),
        helper.make_tensor_value_info("mask", INT32, ["b", "length"]),
    ]
    made = make_model(graph, inputs, [logits], 18).SerializeToString()
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"hidden": hidden.numpy(), "mask": mask.numpy()})
    with torch.inference_mode():
        return leave(hidden, mask.bool()).numpy(), found


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_pair_of_encoders(pair):
    expected, found = both(Architecture("gelu", *pair, "max", "tanh", width=WIDTH))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("pooler", POOLERS)
@pytest.mark.parametrize("encoders", [("mha_2", "conv_3"), ("conv_1", "skip-connect")])
def test_every_pooler(pooler, encoders):
    expected, found = both(Architecture("null", *encoders, pooler, "null", width=WIDTH))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation):
    expected, found = both(Architecture(activation, "mha_4", "mha_8", "sa", activation, width=WIDTH))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_two_attentions_are_one_node():
    leave = build_exit(Architecture("null", "mha_8", "mha_2", "avg", "null", width=WIDTH), HIDDEN, LABELS)
    graph = Graph()
    write_exit(graph, Architecture("null", "mha_8", "mha_2", "avg", "null", width=WIDTH), leave, "hidden", ALL)
    assert [node.op_type for node in graph.nodes].count("Attention") == 1


def test_a_pooler_without_a_form_in_onnx_is_named():
    class Median(Pooler):
        pass

    architecture = Architecture("null", "mha_2", "null", "avg", "null", width=WIDTH)
    leave = build_exit(architecture, HIDDEN, LABELS)
    leave.pooler = Median()
    with pytest.raises(LecoError, match="The pooler Median cannot be exported"):
        write_exit(Graph(), architecture, leave, "hidden", ALL)


def test_an_operation_without_a_form_in_onnx_is_named():
    class Lstm(Encoder):
        pass

    architecture = Architecture("null", "mha_2", "null", "avg", "null", width=WIDTH)
    leave = build_exit(architecture, HIDDEN, LABELS)
    leave.encoders.append(Lstm())
    with pytest.raises(LecoError, match="The encoder operation Lstm cannot be exported"):
        write_exit(Graph(), architecture, leave, "hidden", ALL)


def test_an_activation_without_a_form_in_onnx_is_named(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS._table, "mish", torch.nn.functional.mish)
    architecture = Architecture("mish", "mha_2", "null", "avg", "null", width=WIDTH)
    with pytest.raises(LecoError, match="The activation 'mish' cannot be exported"):
        write_exit(Graph(), architecture, build_exit(architecture, HIDDEN, LABELS), "hidden", ALL)
