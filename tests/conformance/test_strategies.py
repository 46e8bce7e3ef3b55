"""Every training strategy, whatever is registered, with every kind of exits or those that it brings."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

import toy
from conformance.gradients import assert_gradient, with_constants
from conformance.settings import assert_refuses, extremes, written
from leco.exits.architecture import LINEAR, MHA
from leco.model import MultiExitModel
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from leco.training import callbacks
from leco.training.optimizer import decay_groups
from leco.training.options import RunOptions, TrainingOptions
from leco.training.strategies import STRATEGIES, TrainingStep, parse_strategy
from toy import LAYERS, LEARNED, Killed, batch, dataset, loss_of, model_with, same_weights

FAST = {"lr": 1e-3, "exit_lr": 1e-2}


def exits_for(name):
    """What the strategy trains: its own exits, or any."""
    own = STRATEGIES[name].exits
    return (LINEAR, MHA, LEARNED) if own is None else (own,)


def moments(strategy):
    """A training's moments that may have losses of their own: two epochs of each phase."""
    return [TrainingStep(phase, epoch, epoch) for phase in strategy.phases(LAYERS) for epoch in range(2)]


every = pytest.mark.parametrize("name", STRATEGIES)
on_every_problem = pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL, REGRESSION])


@pytest.mark.parametrize(("name", "exits"), [(name, exits) for name in STRATEGIES for exits in exits_for(name)])
def test_it_learns_the_toy_task_and_is_saved(name, exits, tmp_path):
    model, data = model_with(exits), dataset(rows=96)
    options = TrainingOptions(strategy=name, epochs=6, **FAST)
    log = toy.train(model, (data, data), tmp_path, options)
    assert len(log.epochs) == 6 * len(STRATEGIES[name]().phases(LAYERS))
    assert log.seconds > 0
    assert log.epochs[-1]["dev_last"] > 0.9
    assert max(row["dev_avg"] for row in log.epochs) > 0.75
    model.save_pretrained(tmp_path / "model")
    assert same_weights(MultiExitModel.from_pretrained(tmp_path / "model"), model)


@every
def test_a_killed_training_in_mixed_precision_ends_as_one_that_was_not(name, tmp_path, monkeypatch):
    settings = RunOptions(batch_size=8, bf16=True)
    options = TrainingOptions(strategy=name, epochs=2, gradient_accumulation=2, **FAST)
    undisturbed = callbacks.Bar.on_step_end

    def train(folder):
        model = model_with(exits_for(name)[-1])
        toy.train(model, (dataset(), dataset()), tmp_path / folder, options, run=settings)
        return model

    def die(self, args, state, control, **given):
        if state.epoch > 1:
            raise Killed
        undisturbed(self, args, state, control, **given)

    expected = train("whole")
    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Bar, "on_step_end", die)
        with pytest.raises(Killed):
            train("broken")
    torch.manual_seed(999)  # whatever ran before must not matter
    assert same_weights(train("broken"), expected)
    assert {parameter.dtype for parameter in expected.parameters()} == {torch.float32}


@every
def test_each_phase_moves_what_it_trains_and_nothing_else(name):
    model, strategy = model_with(exits_for(name)[-1]), STRATEGIES[name]()
    model.train()
    for phase in strategy.phases(LAYERS):
        phase.freeze(model)
        named = {key: value for key, value in model.named_parameters() if "meta." not in key}  # which has its own loss
        before = {key: value.detach().clone() for key, value in named.items()}
        optimizer = torch.optim.AdamW(decay_groups(named, {"backbone.": 1e-3, "exits.": 1e-3}, weight_decay=0.01))
        sum(loss_of(strategy, model, TrainingStep(phase, epoch, epoch)) for epoch in range(2)).backward()
        optimizer.step()
        optimizer.zero_grad()
        for key, value in named.items():
            assert torch.equal(value, before[key]) == (not value.requires_grad), key


@on_every_problem
@every
def test_its_gradient_is_that_of_its_loss(name, problem_type, monkeypatch):
    model, strategy = model_with(exits_for(name)[-1], problem_type).double().eval(), STRATEGIES[name]()
    for current in moments(strategy):
        current.phase.freeze(model)
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        assert_gradient(with_constants(partial(loss_of, strategy, model, current), monkeypatch), trained)


@torch.no_grad()
@on_every_problem
@every
def test_a_batch_is_no_more_than_its_rows(name, problem_type):
    """Its loss is the mean of its halves', and more padding changes nothing."""
    model, strategy = model_with(exits_for(name)[-1], problem_type).eval(), STRATEGIES[name]()
    inputs = batch(problem_type=problem_type)
    wider = {key: value if key == "labels" else F.pad(value, (0, 3)) for key, value in inputs.items()}
    for current in moments(strategy):
        loss = loss_of(strategy, model, current, inputs)
        halves = [
            loss_of(strategy, model, current, {k: v[part] for k, v in inputs.items()})
            for part in (slice(4), slice(4, 8))
        ]
        torch.testing.assert_close(sum(halves) / 2, loss)
        torch.testing.assert_close(loss_of(strategy, model, current, wider), loss)


@on_every_problem
@every
def test_both_ends_of_its_settings_and_autocast_give_finite_gradients(name, problem_type):
    for strategy in extremes(STRATEGIES[name]):
        for current in moments(strategy):
            model = model_with(exits_for(name)[-1], problem_type).train()
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of(strategy, model, current)
            loss.backward()
            assert loss.dtype == torch.float32
            assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@every
def test_its_settings_are_read_as_written_and_refused_out_of_range(name):
    for strategy in extremes(STRATEGIES[name]):
        assert parse_strategy(written(strategy)) == strategy
    assert_refuses(STRATEGIES[name])
