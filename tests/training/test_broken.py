"""What is broken in a training ends it with one sentence: numbers that are not finite, and checkpoints."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

import toy
from leco import LecoError
from leco.exits.architecture import LINEAR, PAST_FUTURE
from leco.model.finite import check_finite
from leco.problems import REGRESSION
from leco.training.checkpoints import mark_complete
from leco.training.loggers import check_logger
from leco.training.options import TrainingOptions
from leco.training.strategies import STRATEGIES
from toy import LEARNED, Killed, dataset, model_with


def run(model, folder, callbacks=(), data=None, epochs=2, metric="accuracy", **options):
    settings = TrainingOptions(epochs=epochs, **{"lr": 1e-3, "exit_lr": 1e-2, **options})
    train, dev = data or dataset(), data or dataset(rows=32, seed=1)
    return toy.train(model, (train, dev, metric), Path(folder), settings, callbacks=callbacks)


@pytest.mark.parametrize(
    ("values", "found"),
    [([1.0, -1e18], None), ([1.0, float("nan")], "nan"), ([float("-inf")], "-inf"), ([2e30], "2e+30")],
)
def test_numbers_with_which_nothing_can_be_computed(values, found):
    named = {"one": torch.ones(3, 2), "other": torch.tensor(values), "third": torch.tensor([float("nan")])}
    if found is None:
        del named["third"]
        check_finite(named, "Here", "Do this.")
    else:
        with pytest.raises(LecoError) as error:
            check_finite(named, "Here", "Do this.")
        assert str(error.value) == f"Here: other is {found}. Do this."


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_ends_at_the_first_number_that_is_not_finite(tmp_path, strategy):
    exits = PAST_FUTURE if STRATEGIES[strategy].exits else LINEAR
    with pytest.raises(LecoError, match=r"diverged in epoch 1, step \d+: .* is .*\. Give a lower lr and exit_lr"):
        run(model_with(exits), tmp_path, lr=1e30, exit_lr=1e30, strategy=strategy)
    assert not list(tmp_path.rglob("checkpoint-*")), "nothing of it is kept"


class Spoil(TrainerCallback):
    """Makes a weight infinite in the middle of the second epoch."""

    def on_step_begin(self, args, state, control, model, **_):
        if state.global_step == 11:
            with torch.no_grad():
                model.exits[1].classifier.bias.fill_(torch.inf)


def test_the_epoch_and_the_step_are_named(tmp_path):
    with pytest.raises(
        LecoError, match=r"^The training diverged in epoch 2, step 12: the loss of the exits is (inf|nan)"
    ):
        run(model_with(LEARNED), tmp_path, [Spoil()])


def test_a_regression_of_numbers_that_are_too_large(tmp_path):
    data = dataset()
    data.labels = np.where(data.labels, 3e38, 0).astype(np.float32)
    with pytest.raises(LecoError, match="epoch 1, step 1: the loss of the exits is inf"):
        run(model_with(LEARNED, REGRESSION), tmp_path, data=data, metric="pearson_spearman")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of a training that was stopped in its third epoch, and whose second was the best."""

    class Stop(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            if state.epoch > 2:
                raise Killed

    folder = tmp_path_factory.mktemp("stopped")
    with pytest.raises(Killed):
        run(model_with(LEARNED), folder, [Stop()], epochs=4)
    for path in (folder / "training").glob("checkpoint-*/trainer_state.json"):
        state = json.loads(path.read_text())
        assert state["best_model_checkpoint"].endswith("checkpoint-16"), "as the other tests here take it"
    return folder


def cut(path):
    path.write_bytes(path.read_bytes()[:100])


def noise(path):
    path.write_bytes(bytes(100_000))


def swap(path):
    """Noise of the same length, which no length gives away."""
    path.write_bytes(b"x" * path.stat().st_size)


FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", "complete")


@pytest.mark.parametrize("harm", [Path.unlink, cut, swap])
@pytest.mark.parametrize("file", FILES)
def test_a_checkpoint_that_is_broken(tmp_path, stopped, file, harm):
    shutil.copytree(stopped, tmp_path / "run")
    last = tmp_path / "run" / "training" / "checkpoint-16"
    harm(last / file)
    if file == "complete" and harm is Path.unlink:  # as it is where a process was killed
        run(model_with(LEARNED), tmp_path / "run", epochs=4)
        return
    with pytest.raises(LecoError) as error:
        run(model_with(LEARNED), tmp_path / "run", epochs=4)
    assert str(error.value).startswith(f"The checkpoint '{last}' is gone or broken (")
    assert "\n" not in str(error.value)
    named = str(error.value).split("Delete the folder '")[1].split("'")[0]
    shutil.rmtree(named)
    run(model_with(LEARNED), tmp_path / "run", epochs=1)


def test_without_the_best_checkpoint_there_is_no_result(tmp_path):
    class Remove(TrainerCallback):
        """Removes the first epoch's checkpoint, after which none is better."""

        def on_step_end(self, args, state, control, **_):
            if state.global_step == 16:
                state.best_metric = 2.0
                shutil.rmtree(state.best_model_checkpoint)

    with pytest.raises(LecoError, match=r"The checkpoint '.*/checkpoint-8' is gone or broken"):
        run(model_with(LEARNED), tmp_path, [Remove()])


def test_a_folder_that_was_moved_keeps_its_best_checkpoint(tmp_path, stopped):
    shutil.copytree(stopped, tmp_path / "moved")
    best = tmp_path / "moved" / "training" / "checkpoint-16"
    path = best / "trainer_state.json"
    state = {**json.loads(path.read_text()), "best_metric": 2.0, "best_model_checkpoint": "/before/checkpoint-16"}
    path.write_text(json.dumps(state))
    mark_complete(best)
    shutil.copytree(best, tmp_path / "best")
    model = model_with(LEARNED)
    run(model, tmp_path / "moved", epochs=4)
    for name, weight in load_file(tmp_path / "best" / "model.safetensors").items():
        assert torch.equal(model.state_dict()[name], weight), name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tensorbord", "Did you mean 'tensorboard'"),
        ("", "Unknown logger"),
        ("flyte", "needs a package that is not installed: pip install flyte"),
    ],
)
def test_a_logger_that_is_not_there(name, message):
    for known in ("none", "all"):
        check_logger(known)
    with pytest.raises(LecoError, match=message):
        check_logger(name)
