"""Standardized states: the statistics, what exits read of them, and that saving and exporting folds them away."""

import numpy as np
import pytest
import torch

from leco.data import collate
from leco.exits.architecture import LINEAR, MHA, PAST_FUTURE
from leco.exits.modules import build_exits
from leco.exits.space import SearchSpace
from leco.exits.standardize import LEAST_SPREAD, LEAST_STD, Moments, Standardize, StateStatistics, Statistics
from leco.export.early_exit import ModelWriter
from leco.model import MultiExitModel, build_model, load_model
from leco.model.backbones import walk
from leco.model.statistics import state_statistics
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from leco.search.model import SearchModel
from tiny import CASES, EVERY_ACTIVATION, EVERY_CELL, bert, encoder, randomize, text_model, texts
from toy import LAYERS, TOKENIZER, dataset
from toy import encoder as toy_encoder

D, K = 16, 3
SCALES = torch.logspace(-1, 1, D)  # channels differ by two orders of magnitude


def uneven(*shape):
    """Hidden states whose channels have other means and scales."""
    return (torch.randn(*shape, D) + 3) * SCALES


def statistics_of(states):
    moments = Moments()
    moments.add(states)
    return moments.statistics()


def test_statistics_are_those_of_all_samples_together():
    torch.manual_seed(0)
    samples = [uneven(2, n) / SCALES.sqrt() for n in (5, 1, 30)]
    moments = Moments()
    for sample in samples:
        moments.add(sample)
    together = torch.cat(samples, dim=1).double()
    found = moments.statistics()
    torch.testing.assert_close(found.mean, together.mean(1).float())
    torch.testing.assert_close(found.std, together.std(1, correction=0).float())


def test_a_small_spread_around_a_large_mean_is_not_lost():
    states = 20 + torch.randn(1, 4000, D)
    assert statistics_of(states).std.sub(1).abs().max() < 0.05


def test_a_channel_that_hardly_varies_does_not_drown_the_rest():
    torch.manual_seed(0)
    states = torch.randn(1, 500, D)
    states[..., 0] = 0.0
    found = statistics_of(states)
    least = LEAST_STD * states.var(1, correction=0).mean().sqrt()
    assert found.std[0, 0] == pytest.approx(float(least), rel=1e-4)
    states[..., 1] = 1e4 + 1e-3 * states[..., 1]
    assert statistics_of(states).std[0, 1] == pytest.approx(LEAST_SPREAD * 1e4, rel=1e-4)
    constant = torch.arange(D) / D
    found = statistics_of(constant.expand(2, 5, D))  # nothing varies
    torch.testing.assert_close(found.std[0], torch.cat([torch.ones(1), LEAST_SPREAD * constant[1:]]))


def states_for(num_layers):
    tokens, first = uneven(num_layers, 200), uneven(num_layers, 50)
    return StateStatistics(statistics_of(tokens), statistics_of(first))


def test_each_exit_reads_what_its_statistics_are_of():
    torch.manual_seed(0)
    exits = build_exits([LINEAR, MHA], D, K)
    states = states_for(2)
    exits.standardize(states)
    assert torch.equal(exits[0].standardize.mean, states.first_tokens.mean[0])
    assert torch.equal(exits[1].standardize.mean, states.tokens.mean[1])


@pytest.mark.parametrize("architecture", [LINEAR, MHA, *EVERY_CELL, *EVERY_ACTIVATION], ids=str)
def test_a_folded_exit_says_what_it_said(architecture):
    torch.manual_seed(0)
    exits = build_exits([architecture] * 2, D, K).eval()
    randomize(exits)
    exits.standardize(states_for(2))
    mask = torch.arange(7)[None] < torch.tensor([[7], [3], [1]])
    hidden = uneven(3, 7)
    folded = exits.folded()
    assert folded.state_dict().keys() == build_exits([architecture] * 2, D, K).state_dict().keys()
    assert folded.folded() is folded
    for layer in (1, 2):
        for given in (mask, None):
            said = exits.logits(layer, hidden, given, None)
            torch.testing.assert_close(folded.logits(layer, hidden, given, None), said, atol=1e-5, rtol=1e-5)
            plain = exits[layer - 1].standardize(hidden)
            exits[layer - 1].standardize, standardize = torch.nn.Identity(), exits[layer - 1].standardize
            torch.testing.assert_close(exits.logits(layer, plain, given, None), said)
            exits[layer - 1].standardize = standardize


@pytest.mark.parametrize(("config", "attention"), [pytest.param(*case.values[0], id=case.id) for case in CASES])
@pytest.mark.parametrize("exits", [(LINEAR, MHA), (PAST_FUTURE,)], ids=["cells", "past-future"])
def test_every_backbone_saved_and_exported_says_what_it_said(config, attention, exits, tmp_path):
    backbone = encoder(config, attention)
    inputs = texts(9, 4, 1)
    hidden = torch.stack(list(walk(backbone, inputs))[1:])
    states = StateStatistics(statistics_of(hidden.flatten(1, 2)), statistics_of(hidden[:, :, 0]))
    architectures = [exits[layer % len(exits)] for layer in range(len(hidden))]
    model = build_model(backbone, architectures, ["a", "b", "c"], problem_type=SINGLE_LABEL, states=states).eval()
    model._tokenizer = TOKENIZER
    randomize(model.exits)
    said = model(**inputs).exit_logits
    model.save_pretrained(tmp_path)
    loaded = MultiExitModel.from_pretrained(tmp_path, attn_implementation=attention).eval()
    torch.testing.assert_close(loaded(**inputs).exit_logits, said, atol=1e-5, rtol=1e-5)
    assert any("standardize" in name for name in loaded.state_dict()) == (exits == (PAST_FUTURE,))
    torch.testing.assert_close(model(**inputs).exit_logits, said)  # the model itself trains on as it was


@pytest.mark.parametrize("architecture", [MHA, LINEAR, EVERY_CELL[0]], ids=lambda one: one.kind)
def test_trained_exits_go_on_reading_standardized_states(architecture):
    """They say what they said, by weights of the standardized states, and fold to what they were."""
    torch.manual_seed(0)
    exits = build_exits([architecture] * 2, D, K).eval()
    randomize(exits)
    states = StateStatistics(*[Statistics(torch.randn(2, D), torch.rand(2, D) + 0.5)] * 2)
    hidden, before = torch.randn(3, 5, D), {name: value.clone() for name, value in exits.state_dict().items()}
    said = [exits.logits(layer, hidden, None, None) for layer in (1, 2)]
    exits.unfold(states)
    for layer in (1, 2):
        torch.testing.assert_close(exits.logits(layer, hidden, None, None), said[layer - 1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(exits[0].reader.weight, before[next(name for name in before if name.endswith("weight"))])
    for name, value in exits.folded().state_dict().items():
        torch.testing.assert_close(value, before[name], atol=1e-5, rtol=1e-5)


def test_an_exported_graph_is_as_large_as_without(tokenizer):
    plain = text_model(tokenizer, layers=2)
    standardized = text_model(tokenizer, layers=2)
    states = StateStatistics(*[Statistics(torch.randn(2, D), torch.rand(2, D) + 0.5)] * 2)
    standardized.exits.standardize(states)
    graphs = [ModelWriter(model).all_exits().graph for model in (plain, standardized)]
    assert [len(graph.node) for graph in graphs] == [len(graphs[0].node)] * 2

    import onnxruntime

    writer = ModelWriter(standardized)
    session = onnxruntime.InferenceSession(writer.all_exits().SerializeToString())
    inputs = collate(tokenizer, [dict(tokenizer("a film")), dict(tokenizer("a long and dull film"))])
    given = {name: value.numpy() for name, value in inputs.items() if name in writer.inputs}
    (scores,) = session.run(["scores"], given)
    expected = standardized(**inputs).exit_logits.softmax(-1).detach().numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_the_supernet_reads_standardized_states():
    torch.manual_seed(0)
    states = statistics_of(uneven(LAYERS, 100).repeat(1, 1, 2))
    model = SearchModel(toy_encoder(), SearchSpace(width=8), K, 0.0, statistics=states).eval()
    weights = {edge: value.softmax(-1) for edge, value in model.alphas.items()}
    hidden = uneven(LAYERS, 4, 7).repeat(1, 1, 1, 2)
    said = model.supernet(hidden, None, weights)
    by_hand = torch.stack([(hidden[m] - states.mean[m]) / states.std[m] for m in range(LAYERS)])
    model.supernet.standardize = torch.nn.Identity()
    torch.testing.assert_close(said, model.supernet(by_hand, None, weights))


def test_padding_is_not_counted_and_the_sample_is_seeded(monkeypatch):
    backbone, data = toy_encoder().eval(), dataset(rows=20)
    one_by_one = [torch.stack(list(walk(backbone, collate(TOKENIZER, [row])))[1:]).squeeze(1) for row in data.encodings]
    expected = statistics_of(torch.cat(one_by_one, dim=1).detach())
    first = statistics_of(torch.stack([states[:, 0] for states in one_by_one], dim=1).detach())
    monkeypatch.setattr("leco.model.statistics.BATCH", 8)
    found = state_statistics(backbone, data, TOKENIZER, range(1, LAYERS + 1), seed=0)
    torch.testing.assert_close(found.tokens.mean, expected.mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.tokens.std, expected.std, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.first_tokens.std, first.std, atol=1e-5, rtol=1e-4)
    monkeypatch.setattr("leco.model.statistics.SAMPLE", 5)
    again = [state_statistics(backbone, data, TOKENIZER, [1, 3], seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(again[0].tokens.mean, again[1].tokens.mean)
    assert not torch.equal(again[0].tokens.mean, again[2].tokens.mean)


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL, REGRESSION])
def test_one_training_text_and_every_kind_of_problem_stay_finite(problem_type):
    backbone, data = toy_encoder().eval(), dataset(rows=1)
    states = state_statistics(backbone, data, TOKENIZER, range(1, LAYERS + 1), seed=0)
    names = ["value"] if problem_type == REGRESSION else ["a", "b"]
    model = build_model(backbone, [LINEAR, MHA, LINEAR], names, problem_type=problem_type, states=states)
    logits = model(**collate(TOKENIZER, dataset().encodings)).exit_logits
    assert logits.isfinite().all()


def test_a_folder_from_before_loads_and_answers_as_before(tokenizer, tmp_path):
    model = text_model(tokenizer, bert(vocab_size=len(tokenizer), max_position_embeddings=40, pad_token_id=0))
    model.save_pretrained(tmp_path)
    assert not any("standardize" in name for name in model.state_dict())
    loaded = load_model(tmp_path)
    assert [a.scores for a in loaded.predict(["a film"])] == [a.scores for a in model.predict(["a film"])]


def test_past_future_exits_keep_their_statistics():
    model = build_model(bert(), [PAST_FUTURE] * 3, ["a", "b"], problem_type=SINGLE_LABEL, states=states_for(3))
    assert all(one.standardized for one in model.config.exits)
    assert all(isinstance(part.standardize, Standardize) for part in model.exits)
