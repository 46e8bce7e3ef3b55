"""Every search relaxation, whatever is registered."""

from functools import partial

import pytest
import torch

from conformance.gradients import assert_gradient
from conformance.settings import assert_refuses, extremes, written
from leco.exits.architecture import EDGES
from leco.exits.space import SearchSpace
from leco.search.relaxations import RELAXATIONS, parse_relaxation
from toy import LAYERS, Killed, searcher

SPACE = SearchSpace(width=8)
every = pytest.mark.parametrize("name", RELAXATIONS)


def architecture_parameters(relaxation, seed=0, dtype=torch.float32):
    """Random alphas, and the relaxation's own parameters."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {edge: len(SPACE.operations(edge)) for edge in EDGES}
    return tuple(
        {name: torch.randn(LAYERS, size, generator=generator).to(dtype).requires_grad_() for name, size in of.items()}
        for of in (sizes, relaxation.parameters)
    )


def sampled(relaxation, given, own, progress=0.5):
    """One draw of the weights, always the same."""
    torch.manual_seed(7)
    return relaxation.sample(given, progress, own)


def objective(relaxation, given, own):
    """A scalar that depends on all weights of a draw and on the relaxation's penalty."""
    weights = sampled(relaxation, given, own)
    generator = torch.Generator().manual_seed(1)
    total = sum((value * torch.rand(value.shape, generator=generator)).sum() for value in weights.values())
    penalty = relaxation.penalty(given)
    return total if penalty is None else total + penalty


@every
def test_it_searches_the_toy_task_and_continues_where_it_was_killed(name, tmp_path):
    whole, broken, resumed = (searcher(RELAXATIONS[name](), search_epochs=6) for _ in range(3))
    result = whole.search(tmp_path / "whole.pt")
    assert len(result.architectures) == LAYERS
    assert result.history.train_loss[-1] < result.history.train_loss[0]
    run_epoch = broken.run_epoch

    def run_epoch_or_die(epoch):
        if epoch == 4:
            raise Killed
        run_epoch(epoch)

    broken.run_epoch = run_epoch_or_die
    with pytest.raises(Killed):
        broken.search(tmp_path / "broken.pt")
    assert resumed.search(tmp_path / "broken.pt").architectures == result.architectures
    for ours, theirs in zip(resumed.model.state_dict().values(), whole.model.state_dict().values()):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("second_order", [False, True])
@every
def test_each_step_moves_what_it_trains_and_nothing_else(name, second_order):
    search = searcher(RELAXATIONS[name](), second_order=second_order)
    batch = next(iter(search._batches(torch.arange(8).numpy(), 0)))

    def moved_by(step, *batches):
        before = {key: value.detach().clone() for key, value in search.model.named_parameters()}
        step(*batches)
        return {key for key, value in search.model.named_parameters() if not torch.equal(value, before[key])}

    assert moved_by(search.alpha_step, batch, batch) == {
        *(f"alphas.{key}" for key in search.model.alphas),
        *(f"own.{key}" for key in search.model.own),
    }
    assert {key.split(".")[0] for key in moved_by(search.weight_step, batch)} == {"backbone", "supernet"}


@every
def test_a_second_order_step_draws_once(name):
    """All its losses are of one function: a step with the same generator state has the same gradient."""
    search = searcher(RELAXATIONS[name](), second_order=True)
    batch = next(iter(search._batches(torch.arange(8).numpy(), 0)))
    seen = []
    loss = search._loss

    def noted(*arguments, **options):
        seen.append(torch.get_rng_state())
        return loss(*arguments, **options)

    search._loss = noted
    search.alpha_step(batch, batch)
    assert len(seen) == 4
    assert all(torch.equal(state, seen[0]) for state in seen)


@every
def test_its_weights_rank_candidates_as_the_alphas_do(name):
    for relaxation in extremes(RELAXATIONS[name]):
        given, own = architecture_parameters(relaxation)
        weights = relaxation.weights(given, own)
        assert set(weights) == set(EDGES)
        for edge in EDGES:
            assert torch.equal(weights[edge].argsort(dim=-1), given[edge].argsort(dim=-1))
            assert (weights[edge] >= 0).all()


@every
def test_its_gradient_is_that_of_differences(name):
    relaxation = RELAXATIONS[name]()
    given, own = architecture_parameters(relaxation, dtype=torch.float64)
    parameters = [*given.values(), *own.values()]
    for value in parameters:
        assert torch.autograd.grad(objective(relaxation, given, own), value)[0].abs().sum() > 0
    assert_gradient(partial(objective, relaxation, given, own), parameters)


@every
def test_no_layer_depends_on_another(name):
    relaxation = RELAXATIONS[name]()
    both = architecture_parameters(relaxation)
    together = relaxation.weights(*both)
    for layer in range(LAYERS):
        alone = relaxation.weights(*({key: value[layer : layer + 1] for key, value in of.items()} for of in both))
        for edge in EDGES:
            torch.testing.assert_close(alone[edge][0], together[edge][layer])


@pytest.mark.parametrize("progress", [0.0, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@every
def test_both_ends_of_its_settings_and_of_the_search_give_finite_weights_and_gradients(name, dtype, progress):
    for relaxation in extremes(RELAXATIONS[name]):
        given, own = architecture_parameters(relaxation, dtype=dtype)
        weights = sampled(relaxation, given, own, progress)
        for edge, value in weights.items():
            assert value.dtype == dtype
            assert value.isfinite().all()
            assert 1 <= relaxation.kept(value.size(1), progress) <= value.size(1)
            assert torch.autograd.grad(value.square().sum(), given[edge])[0].isfinite().all()
        channels = relaxation.channels(SPACE.width)
        assert channels is None or (channels.shape == (SPACE.width,) and set(channels.tolist()) <= {0.0, 1.0})


@every
def test_a_candidate_that_was_dropped_has_no_weight(name):
    relaxation = RELAXATIONS[name]()
    given, own = architecture_parameters(relaxation)
    for edge in EDGES:
        with torch.no_grad():
            given[edge][:, 0] = -torch.inf
    for weights in (relaxation.weights(given, own), sampled(relaxation, given, own)):
        for edge in EDGES:
            assert (weights[edge][:, 0] == 0).all()
            assert weights[edge].isfinite().all()
    penalty = relaxation.penalty(given)
    assert penalty is None or penalty.isfinite()


@every
def test_its_settings_are_read_as_written_and_refused_out_of_range(name):
    for relaxation in extremes(RELAXATIONS[name]):
        assert parse_relaxation(written(relaxation)) == relaxation
    assert_refuses(RELAXATIONS[name])
