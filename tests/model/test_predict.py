"""`predict` exits early, and how texts are batched never changes an answer."""

import copy
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from transformers import AutoConfig

from leco import Cobee, Entropy, LecoError, MaxProbability, Patience, Static
from leco.model.backbones import backbone_for
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from tiny import MIXED, TINY, assert_same_answers, bert, encoder, sentences, text_model

LAYERS = 6
TEXTS = [*sentences(40), "", ("", ""), ("a film", ""), "good " * 200]


@pytest.fixture
def model(tokenizer):
    return text_model(tokenizer)


@pytest.fixture
def calls(model):
    """What ran: for each layer the shapes of hidden states it was given, and for each exit the number of rows."""
    seen = {"layers": [[] for _ in range(LAYERS)], "exits": [[] for _ in range(LAYERS)]}
    family = backbone_for(model.config.backbone_config)

    def note(shapes):
        return lambda module, inputs: shapes.append(tuple(inputs[0].shape[:2]))

    for index, leave in enumerate(model.exits):
        family.block(model.backbone, index).register_forward_pre_hook(note(seen["layers"][index]))
        leave.register_forward_pre_hook(note(seen["exits"][index]))
    return seen


CRITERIA = [
    Cobee(tau=0.3, patience=1),
    Cobee(tau=0.5, patience=2),
    Patience(patience=2),
    Entropy(tau=0.8),
    MaxProbability(tau=0.7),
    Static(3),
    Static(),
]


@pytest.mark.parametrize("criterion", CRITERIA, ids=str)
def test_answers_are_those_of_batch_size_1_in_the_given_order(model, criterion):
    one_by_one = [model.predict([text], criterion=criterion)[0] for text in TEXTS]
    if not isinstance(criterion, Static):
        assert len({answer.exit_layer for answer in one_by_one}) > 1
    for batch_size in (1, 7, 64):
        assert_same_answers(model.predict(TEXTS, criterion=criterion, batch_size=batch_size), one_by_one)


def test_without_a_criterion_the_models_own_decides(model):
    assert {answer.exit_layer for answer in model.predict(TEXTS)} == {LAYERS}
    model.config.exit_criterion = Static(2).to_dict()
    assert {answer.exit_layer for answer in model.predict(TEXTS)} == {2}


def test_full_depth_is_what_forward_says(model, tokenizer):
    answers = model.predict(TEXTS[:1])
    with torch.no_grad():
        logits = model(**tokenizer(TEXTS[0], return_tensors="pt")).logits
    np.testing.assert_allclose(list(answers[0].scores.values()), logits.softmax(-1)[0], rtol=0, atol=1e-5)
    assert answers[0].label == "abc"[int(logits.argmax())]


def test_forward_refuses_a_criterion_and_names_what_takes_one(model, tokenizer):
    with pytest.raises(TypeError, match="predict"):
        model(**tokenizer(TEXTS[0], return_tensors="pt"), criterion="entropy:tau=0.1")


@pytest.mark.parametrize("family", ["bert", "deberta-v2"])  # the second has no longest text of its own
def test_many_threads_get_the_answers_of_one(tokenizer, family):
    """Long texts among short ones, pairs among single ones, with a tokenizer that truncates by itself as files say."""
    settings = {"vocab_size": len(tokenizer), "num_hidden_layers": 2, "pad_token_id": 0, "relative_attention": True}
    backbone = encoder(AutoConfig.for_model(family, **{**TINY, **settings}), "eager")
    shared = copy.deepcopy(tokenizer)
    shared.backend_tokenizer.enable_truncation(20)
    shared.backend_tokenizer.enable_padding(length=20)
    model = text_model(shared, backbone, max_tokens=16)
    calls = [[TEXTS[(number + row) % len(TEXTS)] for row in range(number % 3 + 1)] for number in range(400)]
    expected = [model.predict(texts) for texts in calls]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(model.predict, calls)) == expected


def test_dropout_is_off(tokenizer):
    model = text_model(tokenizer, exit_dropout=0.9).train()
    assert model.predict(TEXTS) == model.predict(TEXTS)


@pytest.mark.parametrize("layer", [1, 2, LAYERS])
def test_a_fixed_layer_runs_no_layer_beyond_it_and_its_own_exit_alone(model, calls, layer):
    model.predict(TEXTS, criterion=Static(layer), batch_size=8)
    batches = -(-len(TEXTS) // 8)
    assert [len(shapes) for shapes in calls["layers"]] == [batches] * layer + [0] * (LAYERS - layer)
    assert [len(shapes) for shapes in calls["exits"]] == [batches * (number == layer) for number in range(1, 7)]


def test_full_depth_computes_the_last_exit_alone(model, calls):
    model.predict(TEXTS[:3])
    assert [len(shapes) for shapes in calls["exits"]] == [0] * (LAYERS - 1) + [3]


@pytest.mark.parametrize("criterion", [MaxProbability(0.7), Cobee(0.3)], ids=str)
def test_rows_that_left_cost_nothing_more_and_their_padding_is_cut(model, calls, criterion):
    texts = [text for text in TEXTS if isinstance(text, str)]
    answers = model.predict(texts, criterion=criterion, batch_size=len(texts))
    lengths = np.array([min(len(model.tokenizer(text)["input_ids"]), model.max_length) for text in texts])
    exit_layers = np.array([answer.exit_layer for answer in answers])
    assert len(Counter(exit_layers.tolist())) > 2
    expected = []
    for layer in range(1, exit_layers.max() + 1):
        inside = exit_layers >= layer
        expected.append([(inside.sum(), lengths[inside].max())])
    expected += [[]] * (LAYERS - len(expected))
    assert calls["layers"] == calls["exits"] == expected
    assert len({length for shapes in expected for _, length in shapes}) > 1


def test_no_texts_no_answers(model, calls):
    assert model.predict([]) == []
    assert calls["layers"] == [[]] * LAYERS


def test_a_text_for_a_list_of_texts_is_refused(model):
    with pytest.raises(LecoError, match=r"predict\(\[text\]\)"):
        model.predict("a text")


@pytest.mark.parametrize(
    ("problem_type", "criterion", "message"),
    [
        (SINGLE_LABEL, Static(LAYERS + 1), f"layer must be at most {LAYERS}"),
        (REGRESSION, Entropy(), "'entropy' is not defined for the problem type 'regression'"),
        (MULTI_LABEL, Cobee(), "'cobee' is not defined for the problem type 'multi_label_classification'"),
    ],
)
def test_a_criterion_that_does_not_fit_is_refused(tokenizer, problem_type, criterion, message):
    model = text_model(tokenizer, outputs=1 if problem_type == REGRESSION else 3, problem_type=problem_type)
    with pytest.raises(LecoError, match=message):
        model.predict(TEXTS, criterion=criterion)


def test_many_labels(tokenizer):
    model = text_model(tokenizer, outputs=5, problem_type=MULTI_LABEL)
    answers = model.predict(TEXTS, batch_size=16)
    assert all(answer.label == tuple(name for name, p in answer.scores.items() if p > 0.5) for answer in answers)
    assert len({len(answer.label) for answer in answers}) > 1
    assert_same_answers(answers, model.predict(TEXTS))


def test_a_regressions_label_is_its_value(tokenizer):
    model = text_model(tokenizer, problem_type=REGRESSION)
    answers = model.predict(TEXTS, criterion=Cobee(tau=0.2), batch_size=16)
    assert [answer.scores for answer in answers] == [{"value": answer.label} for answer in answers]
    expected = model.predict(TEXTS, criterion=Cobee(tau=0.2))
    np.testing.assert_allclose([a.label for a in answers], [a.label for a in expected], rtol=1e-5, atol=1e-5)
    assert [a.exit_layer for a in answers] == [a.exit_layer for a in expected]
    assert len({a.exit_layer for a in answers}) > 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
@pytest.mark.parametrize("architecture", MIXED, ids=str)
def test_other_precisions(tokenizer, architecture, dtype):
    backbone = bert(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=40, pad_token_id=0)
    model = text_model(tokenizer, backbone, architectures=[architecture])
    scores = [
        [list(answer.scores.values()) for answer in some.predict(TEXTS[:12], batch_size=4)]
        for some in (model, model.to(dtype))
    ]
    np.testing.assert_allclose(*scores, rtol=0, atol=0.1 if dtype == torch.bfloat16 else 1e-4)


def test_bfloat16_and_compiled_layers_hardly_change_an_answer(tokenizer):
    exact = text_model(tokenizer, layers=2)
    expected = exact.predict(TEXTS, Static())
    for settings in ({"bf16": True}, {"compile": True}):
        prepared = text_model(tokenizer, layers=2).prepare(**settings)
        answers = prepared.predict(TEXTS, Static(), batch_size=7)
        tolerance = 0.1 if "bf16" in settings else 1e-4
        for answer, other in zip(answers, expected, strict=True):
            assert answer.scores == pytest.approx(other.scores, abs=tolerance)
