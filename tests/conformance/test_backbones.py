"""Every family of encoders, whatever is registered: each variant of it and each kind of attention that it has."""

import inspect

import pytest
import torch
from torch.nn import functional as F
from transformers import MODEL_MAPPING, AutoConfig, AutoModelForSequenceClassification

import toy
from leco import MaxProbability
from leco.exits.architecture import LINEAR, MHA, PAST_FUTURE
from leco.model import MultiExitModel
from leco.model.backbones import BACKBONES, backbone_for, walk
from leco.training.options import TrainingOptions
from leco.training.strategies import STRATEGIES, Phase, TrainingStep
from tiny import CASES, CELL, MIXED, TINY, assert_same_answers, encoder, multi_exit, sentences, text_model, texts
from toy import dataset, loss_of, model_with

LENGTHS = (11, 5, 2)
every_family = pytest.mark.parametrize("family", BACKBONES)


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


@torch.no_grad()
@pytest.mark.parametrize("exits", [MIXED, (PAST_FUTURE,)], ids=["mixed", "past-future"])
def test_padding_does_not_matter_to_its_exits(model, exits):
    model, inputs = multi_exit(model, exits), texts(*LENGTHS)
    wider = {name: F.pad(value, (0, 4)) for name, value in inputs.items()}
    together = model(**inputs).exit_logits
    torch.testing.assert_close(model(**wider).exit_logits, together, rtol=1e-5, atol=1e-5)
    for row, length in enumerate(LENGTHS):
        alone = {name: value[row : row + 1, :length] for name, value in inputs.items()}
        torch.testing.assert_close(model(**alone).exit_logits[:, 0], together[:, row], rtol=1e-5, atol=1e-5)
        del alone["attention_mask"]
        torch.testing.assert_close(model(**alone).exit_logits[:, 0], together[:, row], rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_it_runs_in_bfloat16(model):
    model, inputs = multi_exit(model, [CELL, MHA]), texts(*LENGTHS)
    exact = model(**inputs).exit_logits
    rounded = model.bfloat16()(**inputs).exit_logits
    assert rounded.dtype == torch.bfloat16
    assert torch.linalg.norm(rounded.float() - exact) < 0.15 * exact.norm()


@torch.no_grad()
def test_it_is_the_same_after_saving_and_loading(model, tmp_path):
    settings, attention = model.config.to_dict(), model.config._attn_implementation
    model = multi_exit(model)
    model.save_pretrained(tmp_path)
    loaded = MultiExitModel.from_pretrained(tmp_path, attn_implementation=attention).eval()
    inputs = texts(11, 5, 2)
    assert torch.equal(loaded(**inputs).exit_logits, model(**inputs).exit_logits)
    assert loaded.config.backbone_config.to_dict() == {**settings, "dtype": "float32"}
    assert loaded.config.exits == model.config.exits
    automatic = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()  # with the family's own attention
    torch.testing.assert_close(automatic(**inputs).exit_logits, model(**inputs).exit_logits, rtol=0, atol=1e-4)


@every_family
def test_rows_leave_it(tokenizer, family):
    sizes = {"vocab_size": len(tokenizer), "num_hidden_layers": 6, "max_position_embeddings": 40}
    config = AutoConfig.for_model(family, **{**TINY, **sizes})
    attention = "sdpa" if MODEL_MAPPING[type(config)]._supports_sdpa else "eager"
    model, given = text_model(tokenizer, encoder(config, attention)), [*sentences(20), "", "good " * 200]
    expected = model.predict(given, criterion=MaxProbability(0.7))
    assert len({answer.exit_layer for answer in expected}) > 1
    assert_same_answers(model.predict(given, criterion=MaxProbability(0.7), batch_size=16), expected)


@every_family
def test_it_learns_the_toy_task(family, tmp_path):
    model, data = model_with(LINEAR, family=family), dataset(rows=96)
    options = TrainingOptions(epochs=6, lr=2e-3, exit_lr=1e-2)
    log = toy.train(model, (data, data), tmp_path, options)
    assert max(row["dev_last"] for row in log.epochs) > 0.9


@every_family
def test_no_gradient_reaches_it_where_it_is_frozen(family):
    model, strategy, phase = model_with(LINEAR, family=family).train(), STRATEGIES["joint"](), Phase(backbone=False)
    phase.freeze(model)
    loss_of(strategy, model, TrainingStep(phase, 0, 0)).backward()
    assert {name.split(".")[0] for name, value in model.named_parameters() if value.grad is not None} == {"exits"}
