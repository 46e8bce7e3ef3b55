"""What is special to each relaxation, and the search spaces that flags name."""

import pytest
import torch

from leco.errors import LecoError
from leco.exits.architecture import EDGES
from leco.exits.space import SearchSpace
from leco.exits.supernet import Supernet
from leco.search.model import SearchModel
from leco.search.options import SearchOptions
from leco.search.relaxations import FairDarts, PcDarts, PDarts, Snas, entropy, parse_relaxation
from toy import LAYERS, encoder, searcher

SPACE = SearchSpace(width=8)


def alphas(seed=0, **extra):
    generator = torch.Generator().manual_seed(seed)
    sizes = {edge: len(SPACE.operations(edge)) for edge in EDGES} | extra
    return {name: torch.randn(LAYERS, size, generator=generator) for name, size in sizes.items()}


def test_snas_samples_and_grows_colder():
    relaxation = Snas(first=1.0, last=0.01)
    given = alphas()
    torch.manual_seed(0)
    warm, cold = relaxation.sample(given, 0.0), relaxation.sample(given, 1.0)
    for edge in EDGES:
        torch.testing.assert_close(warm[edge].sum(-1), torch.ones(LAYERS))
    assert cold["encoder_1"].max(-1).values.min() > 0.9
    counts = torch.zeros(5)
    for _ in range(2000):
        counts += torch.nn.functional.one_hot(relaxation.sample(given, 1.0)["activation_1"][0].argmax(), 5)
    torch.testing.assert_close(counts / 2000, given["activation_1"][0].softmax(-1), atol=0.05, rtol=0)


def test_fair_darts_does_not_compete_and_prefers_zero_and_one():
    given = {edge: torch.full_like(value, 3.0) for edge, value in alphas().items()}
    assert all((weights > 0.9).all() for weights in FairDarts().weights(given).values())
    undecided = {edge: torch.zeros_like(value) for edge, value in given.items()}
    assert FairDarts(strength=2.0).penalty(undecided).item() == 0.0
    expected = -2.0 * LAYERS * (torch.tensor(3.0).sigmoid() - 0.5) ** 2
    torch.testing.assert_close(FairDarts(strength=2.0).penalty(given), expected)


def test_pc_darts_lets_most_channels_pass_by():
    relaxation = PcDarts(k=4)
    torch.manual_seed(0)
    choices = torch.stack([relaxation.channels(8) for _ in range(100)])
    assert (choices.sum(1) == 2).all()
    assert (choices.sum(0) > 0).all()
    net = Supernet(SPACE, LAYERS, 16, 2)
    x = torch.randn(LAYERS, 2, 5, 8)
    from leco.exits.supernet import _partly

    channels = choices[0]
    out = _partly(lambda part: part * 0 + 5, x, channels)
    torch.testing.assert_close(out[..., channels == 0], x[..., channels == 0])
    assert (out[..., channels == 1] == 5).all()
    weights = {edge: torch.rand(LAYERS, len(SPACE.operations(edge))) for edge in EDGES}
    hidden = torch.randn(LAYERS, 2, 5, 16)
    torch.testing.assert_close(
        net(hidden, None, weights, torch.ones(8)), net(hidden, None, weights), atol=1e-5, rtol=1e-4
    )


def test_pc_darts_normalizes_the_two_encoder_edges():
    weights = PcDarts().weights(alphas(), {"beta": torch.tensor([[10.0, -10.0]]).repeat(LAYERS, 1)})
    torch.testing.assert_close(weights["encoder_1"].sum(-1), torch.full((LAYERS,), 2.0))
    torch.testing.assert_close(weights["encoder_2"].sum(-1), torch.zeros(LAYERS), atol=1e-6, rtol=0)


def test_p_darts_drops_the_weakest_candidates_in_stages():
    assert [PDarts().kept(8, progress) for progress in (0, 0.3, 0.34, 0.5, 0.67, 0.99, 1.0)] == [8, 8, 5, 5, 3, 3, 3]
    model = SearchModel(encoder(), SPACE, 2, 0.1)
    order = torch.arange(8.0).expand(LAYERS, 8)
    with torch.no_grad():
        model.alphas["encoder_1"].copy_(order)
    model.drop(lambda candidates: PDarts().kept(candidates, 0.5))
    weights = PDarts().weights(model.live_alphas())["encoder_1"]
    assert (weights[:, :3] == 0).all()
    assert (weights[:, 3:] > 0).all()
    with torch.no_grad():  # what was dropped does not come back
        model.alphas["encoder_1"].copy_(-order)
    model.drop(lambda candidates: PDarts().kept(candidates, 0.9))
    assert (PDarts().weights(model.live_alphas())["encoder_1"] > 0).int().tolist() == [
        [0, 0, 0, 1, 1, 1, 0, 0]
    ] * LAYERS


def test_the_entropy_penalty_sharpens_the_weights():
    uniform = {edge: torch.ones(LAYERS, 4) / 4 for edge in EDGES}
    torch.testing.assert_close(entropy(uniform), torch.full((LAYERS,), 1.386294))
    decided = {edge: torch.eye(4)[:LAYERS] for edge in EDGES}
    torch.testing.assert_close(entropy(decided), torch.zeros(LAYERS), atol=1e-6, rtol=0)

    def final(penalty):
        search = searcher(entropy_penalty=penalty)
        for epoch in range(3):
            search.run_epoch(epoch)
        return entropy(search._mixture()).mean().item()

    assert final(10.0) < final(0.0)


def test_spaces_from_flags():
    space = SearchOptions(space="O1", encoders="conv_3, skip", poolers="max").search_space(width=16)
    assert space.activation_1 == ("tanh",)
    assert space.encoder_1 == space.encoder_2 == ("conv_3", "skip-connect")
    assert space.pooler == ("max",)
    assert space.width == 16
    with pytest.raises(LecoError, match="Unknown encoder operation 'lstm'"):
        SearchOptions(encoders="lstm").search_space(width=16)


def test_bad_settings_are_named():
    with pytest.raises(LecoError, match="Unknown search relaxation 'drats'"):
        parse_relaxation("drats")
    assert parse_relaxation("snas:last=0.5") == Snas(last=0.5)
