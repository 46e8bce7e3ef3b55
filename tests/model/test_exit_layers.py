"""Models whose exits stand on some layers only: the same exits, asked at those layers alone, whatever runs them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoConfig

from leco import Cobee, LecoError, MaxProbability, MultiExitModel, Static
from leco.criteria import CRITERIA, Lte, Task, simulate
from leco.data import Split, TextData
from leco.evaluation.scores import exit_outputs
from leco.exits.architecture import LINEAR, PAST_FUTURE
from leco.export import ModelWriter, choose_for, export_onnx
from leco.export.choice import exit_outputs as exported_outputs
from leco.export.fused import FAMILIES as FUSED
from leco.model import build_model
from leco.model.backbones import BACKBONES
from leco.problems import SINGLE_LABEL
from leco.runtime import Session
from tiny import TINY, VARIANTS, assert_same_answers, bert, encoder, multi_exit, sentences, text_model, texts

TEXTS = [*sentences(20), "", ("", ""), "good " * 200]
EVERY = [*range(7)]


@pytest.fixture(scope="module", params=[[2, 3, 5, 6], [0, 2, 6]], ids=str)
def on(request):
    """The layers that have an exit; 0 is the embeddings."""
    return request.param


@pytest.fixture(scope="module")
def pair(tokenizer, on):
    """A model with exits on the embeddings and six layers, and the same with those on some; not to be changed."""
    whole, some = text_model(tokenizer, exit_layers=EVERY), text_model(tokenizer, exit_layers=EVERY)
    some.keep_exits(sorted({1, *on}))
    some.keep_exits(on)
    return whole, some


def test_its_exits_say_what_they_say_among_others(pair, on):
    whole, some = pair
    encodings = whole.encode(TEXTS)
    (all_scores, all_observed), (scores, observed) = (exit_outputs(model, encodings) for model in pair)
    np.testing.assert_array_equal(scores, all_scores[on])
    for name, values in observed.items():
        np.testing.assert_array_equal(values, all_observed[name][on])
    inputs = texts(5, 7, 3)
    with torch.no_grad():
        one, other = whole(**inputs), some(**inputs, labels=torch.tensor([0, 1, 2]))
    assert torch.equal(other.logits, one.logits)
    assert torch.equal(other.exit_logits, one.exit_logits[on])
    torch.testing.assert_close(other.doubts_by_row, one.doubts_by_row[:, on])
    assert (some.task.num_layers, some.task.num_exits, some.num_layers) == (6, len(on), 6)


@pytest.mark.parametrize("name", [name for name, one in CRITERIA.items() if one.deployable])
def test_criteria_see_the_exits_there_are_and_answer_with_layers(pair, on, name):
    _, some = pair
    encodings = some.encode(TEXTS)
    scores, observed = exit_outputs(some, encodings)
    as_if_all = Task(some.task.num_outputs, len(on))
    sweep = CRITERIA[name].sweep(some.task)
    for criterion in sweep[:: max(len(sweep) // 8, 1)]:
        layers = some.decide(encodings, criterion, batch_size=8).exit_layers
        assert set(layers.tolist()) <= set(on)
        np.testing.assert_array_equal(layers, simulate(criterion, scores, some.task, observed))
        if name != Static.name:  # which names a layer
            numbers = simulate(criterion, scores, as_if_all, observed)
            np.testing.assert_array_equal(layers, np.array(on)[numbers - 1])
    assert (simulate(sweep[0], scores, some.task, observed) == 6).all()


def test_nothing_is_known_of_a_text_at_the_embeddings(pair, on, tmp_path):
    """By the [CLS] state, which all texts share there: no text leaves by LTE."""
    _, model = pair
    inputs, above = texts(5, 7, 3), [layer for layer in on if layer]
    doubts = model(**inputs).doubts_by_row
    assert ((doubts == 1).all(0) == (torch.tensor(on) == 0)).all()
    _, observed = exit_outputs(model, model.encode(TEXTS))
    doubts = np.sort(observed["doubts"][1:-1], axis=None)
    widest = np.diff(doubts).argmax()  # a threshold that no rounding reaches
    for criterion in (Lte(tau=1.0), Lte(tau=float(doubts[widest : widest + 2].mean()))):
        expected = model.predict(TEXTS, criterion)
        assert {answer.exit_layer for answer in expected} <= {*above}
        export_onnx(model, tmp_path / "model.onnx", criterion=criterion)
        assert_same_answers(Session(tmp_path / "model.onnx", threads=1).predict(TEXTS, batch_size=5), expected)


def test_full_depth_is_no_exit_on_the_embeddings(pair, on, tmp_path):
    _, model = pair
    for criterion in (Static(), model.full_depth):
        assert {answer.exit_layer for answer in model.predict(TEXTS, criterion)} == {6}
    assert Static.sweep(model.task) == [Static(layer) for layer in reversed(on) if layer]
    export_onnx(model, tmp_path / "model.onnx", criterion=Static())
    session = Session(tmp_path / "model.onnx", threads=1)
    assert_same_answers(session.predict(TEXTS, batch_size=5), model.predict(TEXTS, Static()))


def test_a_full_list_of_layers_is_none(tokenizer):
    whole, named = text_model(tokenizer, layers=3), text_model(tokenizer, layers=3, exit_layers=[1, 2, 3])
    assert named.task == whole.task
    assert Task(2, 3) == Task(2, 3, exit_layers=(1, 2, 3))
    assert_same_answers(named.predict(TEXTS, Cobee(0.3)), whole.predict(TEXTS, Cobee(0.3)))


FAMILIES = [
    pytest.param(family, variant, below, id=f"{family}-{number}-{len(below)}")
    for family in BACKBONES
    for number, variant in enumerate(VARIANTS.get(family, [{}]))
    for below in (([], [0]) if family == "albert" else ([0],))
]


@pytest.mark.parametrize(("family", "variant", "below"), FAMILIES)
def test_every_family_is_saved_loaded_and_exported(tokenizer, tmp_path, family, variant, below):
    depth = 3 if family in FUSED else 2  # to trace a layer takes seconds
    settings = {
        "num_hidden_layers": depth,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 42,
        "pad_token_id": 0,
    }
    config = AutoConfig.for_model(family, **{**TINY, **settings, **variant})
    layers = config.num_hidden_layers * getattr(config, "inner_group_num", 1)
    model = text_model(tokenizer, encoder(config, "eager"), max_tokens=40, exit_layers=[*below, *sorted({2, layers})])
    model.save_pretrained(tmp_path / "model")
    loaded = MultiExitModel.from_pretrained(tmp_path / "model").eval()
    assert loaded.task == model.task
    shared = family == "albert"  # layers that share their weights are a loop, others a chain
    for criterion in (Cobee(tau=0.2), MaxProbability(tau=0.5), Static(2)) if shared else (Cobee(tau=0.2),):
        expected = model.predict(TEXTS, criterion)
        assert_same_answers(loaded.predict(TEXTS, criterion, batch_size=7), expected)
        export_onnx(model, tmp_path / "model.onnx", criterion=criterion)
        session = Session(tmp_path / "model.onnx", threads=1)
        assert session.task == model.task
        for batch_size in (1, 7):
            assert_same_answers(session.predict(TEXTS, criterion, batch_size=batch_size), expected)


@pytest.mark.parametrize("exit_layers", [[6], [3, 6], [1, 6], [5, 6], [1, 2, 3, 6], [0, 6], [0, 2, 5, 6]], ids=str)
def test_every_criterion_is_exported(tokenizer, tmp_path, exit_layers):
    model = text_model(tokenizer, exit_layers=exit_layers)
    for name, kind in CRITERIA.items():
        if not kind.deployable:
            continue
        sweep = kind.sweep(model.task)
        export_onnx(model, tmp_path / "model.onnx", criterion=sweep[-1])
        session = Session(tmp_path / "model.onnx", threads=1)
        for criterion in (sweep[0], sweep[len(sweep) // 2]):
            expected = model.predict(TEXTS, criterion)
            assert_same_answers(session.predict(TEXTS, criterion, batch_size=5), expected), name


def test_int8_answers_as_its_own_exits_say(pair, on, tmp_path):
    _, model = pair
    encodings = model.encode(TEXTS)
    graph = ModelWriter(model, int8=True).all_exits()
    scores, observed = exported_outputs(graph, model, encodings, lambda rows: None)
    criterion = MaxProbability(0.5)
    layers = simulate(criterion, scores, model.task, observed)
    assert len(set(layers.tolist())) > 1
    export_onnx(model, tmp_path / "model.onnx", criterion=criterion, int8=True)
    decided = Session(tmp_path / "model.onnx", threads=1).decide(encodings)
    np.testing.assert_array_equal(decided.exit_layers, layers)
    places = np.searchsorted(on, layers)
    np.testing.assert_allclose(decided.scores, scores[places, np.arange(len(layers))], atol=1e-5)


def test_the_settings_of_a_file_are_chosen_by_its_exits(pair, on):
    _, model = pair
    split = Split(sentences(12), np.random.default_rng(0).integers(0, 3, 12))
    data = TextData("some", split, split, split, ("a", "b", "c"), SINGLE_LABEL, "accuracy", pair=False)
    found = choose_for(model, data, MaxProbability(0.5), 1.0, int8=True, opset=18)
    assert found.mean_exit_layer == on[0]  # any score is allowed, so that all leave at once
    graph = ModelWriter(model, int8=True).all_exits()
    scores, _ = exported_outputs(graph, model, model.encode(split.texts), lambda rows: None)
    assert found.score == np.mean(scores[0].argmax(-1) == split.labels)
    assert found.full_depth_score == np.mean(scores[-1].argmax(-1) == split.labels)


def test_a_layer_without_an_exit_is_no_place_to_leave(pair, on, tmp_path):
    _, some = pair
    named = ", ".join(str(layer) for layer in on if layer)
    with pytest.raises(LecoError, match=rf"layer must be one that has an exit \({named}\) or 0, not 4"):
        some.predict(["a"], "static:layer=4")
    export_onnx(some, tmp_path / "model.onnx", criterion=Static(2))
    session = Session(tmp_path / "model.onnx", threads=1)
    with pytest.raises(LecoError, match="that has an exit"):
        session.predict(["a"], "static:layer=4")
    batch = session.collate(session.encode(["a text"]))
    for layer in (1, 4, 7, -1):
        with pytest.raises(Exception, match="layer is n"):
            session._session.run(None, {**batch, "layer": np.array(layer)})


WRONG = [[3, 2, 6], [2, 2, 6], [2, 3], [0, 0, 6], [-1, 6], [2, 7], [1.5, 6], ["2", 6], "6", 6, [True, 6], [None]]


@pytest.mark.parametrize("layers", WRONG, ids=str)
def test_layers_that_there_are_not(layers):
    with pytest.raises(LecoError, match=r"exit|architectures"):
        build_model(bert(num_hidden_layers=6), [LINEAR] * 2, "ab", problem_type=SINGLE_LABEL, exit_layers=layers)


def test_exits_that_know_each_other_may_stand_on_some_layers(tokenizer):
    model = text_model(tokenizer, layers=4, architectures=(LINEAR,), exit_layers=[2, 4])
    other = multi_exit(bert(num_hidden_layers=4), (PAST_FUTURE,), exit_layers=[2, 4])
    inputs = texts(5, 3)
    with torch.no_grad():
        assert other(**inputs).exit_logits.shape == model(**inputs).exit_logits.shape
    with pytest.raises(LecoError, match="know each other, so that none can be dropped"):
        other.keep_exits([4])


def test_exits_that_cannot_be_exported_are_named_alone(tokenizer, tmp_path):
    model = multi_exit(bert(num_hidden_layers=4), (PAST_FUTURE,))
    model.tokenizer = tokenizer
    with pytest.raises(LecoError, match=r"^Exits of the kind 'past-future' cannot be exported"):
        export_onnx(model, tmp_path / "model.onnx")


def test_layers_may_be_numbers_of_numpy(pair):
    _, some = pair
    task = replace(some.task, exit_layers=np.array([2, 6]))
    assert [type(layer) for layer in task.exit_layers] == [int, int]


@pytest.mark.parametrize("layers", [[], [1, 6], [4, 6], [2, 3], [3, 2, 6], [6, 6], [2.0, 6]], ids=str)
def test_exits_that_cannot_be_kept(pair, on, layers):
    _, some = pair
    with pytest.raises(LecoError, match="exit"):
        some.keep_exits(layers)
    assert list(some.task.exit_layers) == on
    assert some.exit_parameters == [sum(weight.numel() for weight in one.parameters()) for one in some.exits]
