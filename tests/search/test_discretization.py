"""From weights to architectures."""

import torch

from leco.exits.architecture import EDGES
from leco.exits.space import SPACES, SearchSpace
from leco.search.discretization import discretize


def weights_for(space, *layers):
    """Weights in which each layer's named operations lead: {edge: {operation: weight}}."""
    result = {edge: torch.full((len(layers), len(space.operations(edge))), 0.01) for edge in EDGES}
    for index, layer in enumerate(layers):
        for edge, leaders in layer.items():
            for name, weight in leaders.items():
                result[edge][index, space.operations(edge).index(name)] = weight
    return result


def test_each_edge_of_each_layer_keeps_its_top_operation():
    space = SearchSpace()
    top = {
        "activation_1": {"swish": 0.9},
        "encoder_1": {"conv_3": 0.9},
        "encoder_2": {"null": 0.9},
        "pooler": {"max": 0.9},
        "activation_2": {"tanh": 0.9},
    }
    other = {**top, "encoder_2": {"mha_2": 0.5}, "pooler": {"sa": 0.4, "cls": 0.3}}
    first, second = discretize(weights_for(space, top, other), space)
    assert str(first) == "swish | conv_3 + null | max | tanh"
    assert str(second) == "swish | conv_3 + mha_2 | sa | tanh"


def test_of_two_nulls_the_edge_with_the_better_other_operation_keeps_that():
    space = SearchSpace()
    both = {"encoder_1": {"null": 0.9, "conv_1": 0.2}, "encoder_2": {"null": 0.8, "mha_8": 0.3, "conv_5": 0.1}}
    (found,) = discretize(weights_for(space, both), space)
    assert (found.encoder_1, found.encoder_2) == ("null", "mha_8")
    both["encoder_1"]["conv_1"] = 0.4
    (found,) = discretize(weights_for(space, both), space)
    assert (found.encoder_1, found.encoder_2) == ("conv_1", "null")


def test_an_edge_that_allows_null_alone_stays_null():
    space = SearchSpace(encoder_2=("null",), width=16)
    (found,) = discretize(weights_for(space, {"encoder_1": {"null": 0.9, "skip-connect": 0.5}}), space)
    assert (found.encoder_1, found.encoder_2, found.width) == ("skip-connect", "null", 16)


def test_the_mha_space_has_one_result():
    space = SPACES["mha"]
    (found,) = discretize(weights_for(space, {}), space)
    assert (found.encoder_1, found.width) == ("mha_dot", 64)
