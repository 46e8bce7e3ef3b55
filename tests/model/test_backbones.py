import inspect

import pytest
import torch
from transformers import AutoConfig, AutoModel

from leco.errors import LecoError
from leco.model.backbones import BACKBONES, backbone_for, walk
from tiny import CASES, TINY, encoder, texts

LENGTHS = (11, 5, 2)


@pytest.fixture(params=CASES)
def model(request):
    return encoder(*request.param)


@pytest.fixture
def backbone(model):
    return backbone_for(model.config)


def transformers_states(model, inputs):
    """What Transformers itself makes of `inputs`: its hidden states and the last of them."""
    known = inspect.signature(model.forward).parameters
    output = model(**{name: value for name, value in inputs.items() if name in known}, output_hidden_states=True)
    return output.hidden_states, output.last_hidden_state


def assert_same(states, expected, mask):
    """The same hidden states at the tokens that are no padding."""
    assert len(states) == len(expected)
    for state, other in zip(states, expected, strict=True):
        torch.testing.assert_close(state[mask == 1], other[mask == 1], rtol=0, atol=1e-5)


def test_walk_equals_transformers(model):
    inputs = texts(*LENGTHS)
    with torch.inference_mode():
        expected, last = transformers_states(model, inputs)
        states = list(walk(model, inputs))
    assert_same([*states, states[-1]], [*expected, last], inputs["attention_mask"])


def test_training_equals_transformers_and_reaches_every_parameter(model, backbone):
    inputs = texts(*LENGTHS)
    backbone.strip(model)
    model.train()
    torch.manual_seed(2)
    expected, _ = transformers_states(model, inputs)
    torch.manual_seed(2)
    states = list(walk(model, inputs))
    assert_same(states, expected, inputs["attention_mask"])
    sum(state.sum() for state in states).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@torch.no_grad()
def test_text_alone_equals_text_in_a_padded_batch(model):
    batch = list(walk(model, texts(*LENGTHS)))
    for row, length in enumerate(LENGTHS):
        inputs = {name: value[row : row + 1, :length] for name, value in texts(*LENGTHS).items()}
        del inputs["attention_mask"]
        alone = list(walk(model, inputs))
        assert_same(alone, [state[row : row + 1, :length] for state in batch], torch.ones(1, length))


@torch.no_grad()
def test_rows_may_leave_and_padding_be_cut_before_any_layer(model, backbone):
    inputs = texts(*LENGTHS)
    mask = inputs["attention_mask"][1:, : LENGTHS[1]]
    expected = [state[1:, : LENGTHS[1]] for state in walk(model, inputs)]
    for start in range(backbone.num_layers(model.config)):
        hidden = expected[start]
        context = backbone.context(model, hidden, mask)
        for index in range(start, backbone.num_layers(model.config)):
            hidden = backbone.layer(model, index, hidden, context)
            assert_same([hidden], [expected[index + 1]], mask)


@torch.no_grad()
def test_sizes(model, backbone):
    states = list(walk(model, texts(*LENGTHS)))
    assert len(states) == backbone.num_layers(model.config) + 1
    assert {state.shape for state in states} == {(*texts(*LENGTHS)["input_ids"].shape, TINY["hidden_size"])}
    assert backbone.hidden_size(model.config) == TINY["hidden_size"]


@torch.no_grad()
def test_max_length_is_the_longest_text_that_has_positions(model, backbone):
    longest = backbone.max_length(model.config)
    assert next(walk(model, texts(longest))).shape[1] == longest
    if any("embeddings.position_embeddings" in name for name, _ in model.named_parameters()):
        with pytest.raises((IndexError, RuntimeError)):
            next(walk(model, texts(longest + 1)))


@torch.no_grad()
def test_strip_removes_nothing_that_the_last_state_needs(model, backbone):
    inputs = texts(*LENGTHS)
    _, before = transformers_states(model, inputs)
    backbone.strip(model)
    backbone.strip(model)
    _, after = transformers_states(model, inputs)
    assert not any("pooler" in name for name, _ in model.named_parameters())
    assert torch.equal(before, after)


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_sdpa_takes_no_mask_where_nothing_is_padding(family):
    model = AutoModel.from_config(AutoConfig.for_model(family, **TINY), attn_implementation="sdpa")
    mask = torch.ones(1, 4, dtype=torch.long)
    context = backbone_for(model.config).context(model, torch.zeros(1, 4, 16), mask)
    assert context.get("full_attention", context)["attention_mask"] is None


@pytest.mark.parametrize("family", BACKBONES)
def test_max_length_of_published_models(family):
    positions = {"modernbert": 8192, **dict.fromkeys(["camembert", "mpnet", "roberta", "xlm-roberta"], 514)}
    config = AutoConfig.for_model(family, max_position_embeddings=positions.get(family, 512))
    assert backbone_for(config).max_length(config) == (8192 if family == "modernbert" else 512)


def test_unknown_family_lists_the_known_ones():
    with pytest.raises(LecoError, match=r"Unknown backbone family 'gpt2'\. Known: albert, bert, .*xlm-roberta\."):
        backbone_for(AutoConfig.for_model("gpt2"))
