"""Devices: which one is taken, and that a GPU does what the processor does."""

import numpy as np
import pytest
import torch

import toy
from leco.devices import has_bf16, pick_device, picked_bf16
from leco.errors import LecoError
from leco.evaluation.scores import exit_outputs
from leco.exits.architecture import LINEAR, PAST_FUTURE
from leco.training.checkpoints import Checkpoints
from leco.training.options import TrainingOptions
from leco.training.strategies import STRATEGIES
from toy import LEARNED, Killed, dataset, model_with, searcher

GPU = pick_device() if pick_device().type != "cpu" else None
on_gpu = pytest.mark.skipif(GPU is None, reason="PyTorch finds no GPU here")
DEVICES = {"cpu": pytest.param(torch.device("cpu")), "gpu": pytest.param(GPU, marks=on_gpu)}
everywhere = pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
"""On the processor, too: what only a GPU runs is not seen to break where there is none."""


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gpu", "must be auto, cpu, cuda"),
        ("cuda:x", "must be auto, cpu, cuda"),
        ("cpu:0", "must be auto, cpu, cuda"),
        ("", "must be auto, cpu, cuda"),
        ("cuda:99", "is not there"),
    ],
)
def test_a_device_that_is_unknown_or_absent_is_one_sentence(name, reason):
    with pytest.raises(LecoError, match=reason):
        pick_device(name)


def test_auto_takes_a_gpu_if_there_is_one():
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else pick_device().type)


def test_bfloat16_follows_the_device(capsys):
    assert isinstance(has_bf16(torch.device("cpu")), bool)
    assert not has_bf16(torch.device("mps"))
    assert not picked_bf16(False, torch.device("mps"))
    assert not capsys.readouterr().err
    assert not picked_bf16(True, torch.device("mps"))
    assert "has no bfloat16" in capsys.readouterr().err


def train(model, folder, device, strategy="joint", epochs=2):
    options = TrainingOptions(strategy=strategy, epochs=epochs, lr=1e-3, exit_lr=1e-2)
    return toy.train(model.to(device), (dataset(), dataset(rows=32, seed=1)), folder, options)


@on_gpu
@pytest.mark.parametrize("exits", [LEARNED, LINEAR, PAST_FUTURE], ids=lambda one: one.kind)
def test_a_gpu_says_what_the_processor_says(exits):
    model = model_with(exits)
    here, observed = exit_outputs(model, dataset().encodings)
    there, observed_there = exit_outputs(model.to(GPU), dataset().encodings)
    np.testing.assert_allclose(here, there, atol=1e-5)
    for what, values in observed.items():
        np.testing.assert_allclose(values, observed_there[what], atol=1e-5)


@everywhere
def test_a_search_moves_as_on_the_processor(device):
    here, there = searcher(search_epochs=1), searcher(search_epochs=1, device=device)
    for search in (here, there):
        search.model.supernet.dropout.p = 0.0
        for module in search.model.backbone.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        search.run_epoch(0)
    assert all(alpha.device.type == device.type for alpha in there.alphas)
    for ours, theirs in zip(here.alphas, there.alphas):
        torch.testing.assert_close(ours, theirs.cpu(), atol=2e-3, rtol=0)


@everywhere
def test_a_search_that_began_on_the_processor_goes_on(tmp_path, device):
    first = searcher(search_epochs=2)
    first.run_epoch(0)
    first._store(tmp_path / "search.pt", 1)
    second = searcher(search_epochs=2, device=device)
    assert len(second.search(tmp_path / "search.pt").history.train_loss) == 2


@on_gpu
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_trains_on_a_gpu(strategy, tmp_path):
    exits = STRATEGIES[strategy].exits or LEARNED
    log = train(model_with(exits), tmp_path, GPU, strategy)
    assert log.epochs[-1]["dev_avg"] > 0.4


@everywhere
def test_a_training_that_began_on_the_processor_goes_on(tmp_path, monkeypatch, device):
    def kill(self, args, state, control, **_):
        original(self, args, state, control, **_)
        raise Killed

    original = Checkpoints.on_save
    monkeypatch.setattr(Checkpoints, "on_save", kill)
    with pytest.raises(Killed):
        train(model_with(LEARNED), tmp_path, "cpu")
    monkeypatch.setattr(Checkpoints, "on_save", original)
    model = model_with(LEARNED)
    assert len(train(model, tmp_path, device).epochs) == 2
    assert model.device.type == device.type
