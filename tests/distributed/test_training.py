"""Two processes that train together, over gloo, end with what one process ends with, but for rounding."""

import pytest
import torch

import toy
from distributed.pair import assert_nearly, run_pair, without_dropout
from leco.processes import together
from leco.training.options import RunOptions, TrainingOptions
from leco.training.strategies import STRATEGIES
from toy import LAYERS, LEARNED, dataset, model_with

RUN = RunOptions(batch_size=8)
ROWS, DEV_ROWS = 59, 33
"""Neither fills its batches, nor can be halved."""


def trained(name, folder):
    """A model without dropout, trained by a strategy for two epochs, and the log."""
    model = without_dropout(model_with(STRATEGIES[name].exits or LEARNED))
    options = TrainingOptions(strategy=name, epochs=2, lr=1e-3, exit_lr=1e-2, gradient_accumulation=2)
    log = toy.train(model, (dataset(ROWS), dataset(DEV_ROWS, seed=1)), folder, options, run=RUN)
    return model, log


def train_all(folder):
    """What one of two processes does; each leaves its weights, and what its log says."""
    with together(torch.device("cpu")):
        rank = torch.distributed.get_rank()
        for name in STRATEGIES:
            model, log = trained(name, folder / name)
            torch.save({"weights": model.state_dict(), "epochs": log.epochs}, folder / f"{name}-{rank}.pt")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The folder with what both processes left, by strategy, and what they printed."""
    folder = tmp_path_factory.mktemp("pair")
    codes, printed = run_pair(folder, train_all, folder)
    assert codes == [0, 0], printed
    return folder, printed


@pytest.mark.parametrize("name", STRATEGIES)
def test_two_processes_train_what_one_trains(name, pair, tmp_path):
    """Weights and dev scores: every row counts once in each step, whatever the shares, and once in the evaluation."""
    first, second = (torch.load(pair[0] / f"{name}-{rank}.pt", weights_only=True) for rank in range(2))
    model, log = trained(name, tmp_path)
    assert all(torch.equal(value, second["weights"][name]) for name, value in first["weights"].items())
    assert_nearly(first["weights"], model.state_dict())
    assert len(first["epochs"]) == len(log.epochs)
    for ours, theirs, alone in zip(first["epochs"], second["epochs"], log.epochs):
        scores = {key: value for key, value in alone.items() if key.startswith("dev_") or key == "loss"}
        assert {key: ours[key] for key in scores} == {key: theirs[key] for key in scores}
        assert {key: ours[key] for key in scores} == pytest.approx(scores, abs=1e-4)


def test_one_of_them_speaks(pair):
    lines = [line for line in pair[1][0].splitlines() if "epoch 1/2" in line]
    assert len(lines) == sum(len(strategy().phases(LAYERS)) for strategy in STRATEGIES.values())
    assert "epoch" not in pair[1][1]


def test_without_dropout_it_is_the_batch_that_counts(tmp_path):
    """The comparison can fail: another batch size gives other weights."""
    name = next(iter(STRATEGIES))
    options = TrainingOptions(strategy=name, epochs=2, lr=1e-3, exit_lr=1e-2)
    models = [without_dropout(model_with(LEARNED)) for _ in range(2)]
    for model, size in zip(models, (8, 4)):
        data = dataset(ROWS), dataset(DEV_ROWS, seed=1)
        toy.train(model, data, tmp_path / str(size), options, run=RunOptions(batch_size=size))
    one, other = (model.exits[0].classifier.weight for model in models)
    assert (one - other).abs().max() > 1e-2
