"""More epochs of a run that is finished, after all or early: it goes on with its weights, whenever it is stopped."""

import json
import shutil

import pytest
from transformers import TrainerCallback

import leco
from leco import LecoError
from leco.model import load_model
from leco.run_folder import run_settings
from leco.training.log import TrainingLog
from leco.training.strategies import Alternating
from offline import OPTIONS
from test_pipeline import Stopped, stop_at

FIRST, MORE = 1, 3


@pytest.fixture(scope="module")
def arguments(encoder_folder, reviews):
    """Of a run of one epoch."""
    run = {"model": str(encoder_folder), "data": str(reviews), **OPTIONS, "exits": "mha", "strategy": "two-stage"}
    return {**run, "epochs": FIRST}


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory):
    """Its folder; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    leco.fit(**arguments, output=folder)
    return folder


@pytest.fixture(scope="module")
def continued(arguments, finished, tmp_path_factory):
    """The folder of the same run with more epochs, which nothing stopped; not to be changed."""
    folder = tmp_path_factory.mktemp("continued") / "run"
    shutil.copytree(finished, folder)
    leco.fit(**{**arguments, "epochs": MORE}, output=folder)
    return folder


def log_of(folder):
    return TrainingLog.load(folder / "training.json")


def test_it_goes_on_where_it_had_ended(finished, continued):
    before, after = log_of(finished), log_of(continued)
    assert after.epochs[: len(before.epochs)] == before.epochs
    assert [(row["phase"], row["epoch"]) for row in after.epochs] == [
        *((phase, 1) for phase in ("first-stage", "second-stage")),
        *((phase, epoch) for phase in ("first-stage", "second-stage") for epoch in (2, 3)),
    ]
    assert (before.planned, after.planned) == (FIRST, MORE)
    assert run_settings(continued)["epochs"] == MORE
    assert after.best("second-stage", "avg") > before.best("second-stage", "avg")
    assert (continued / "model.safetensors").read_bytes() != (finished / "model.safetensors").read_bytes()
    results = [json.loads((folder / "results.json").read_text()) for folder in (finished, continued)]
    assert results[1]["dev"]["exit_scores"] != results[0]["dev"]["exit_scores"]
    dev = max((row for row in after.epochs if row["phase"] == "second-stage"), key=lambda row: row["dev_avg"])
    assert results[1]["dev"]["exit_scores"] == pytest.approx([dev[f"dev_exit_{layer}"] for layer in (1, 2, 3)])
    assert {path.name for path in continued.iterdir()} == {path.name for path in finished.iterdir()}


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("leco.training.trainer.MultiExitTrainer.training_step", 1),
        ("leco.training.trainer.MultiExitTrainer.training_step", 17),
        ("leco.training.trainer.MultiExitTrainer._load_best_model", 2),
        ("leco.pipeline.save_model", 1),
        ("leco.training.log.TrainingLog.save", 1),
        ("leco.pipeline.hold_contest", 1),
        ("leco.pipeline.model_card", 1),
    ],
)
def test_it_may_be_stopped(monkeypatch, tmp_path, arguments, finished, continued, target, call):
    folder, more = tmp_path / "run", {**arguments, "epochs": MORE}
    shutil.copytree(finished, folder)
    with monkeypatch.context() as patched:
        stop_at(patched, target, call)
        with pytest.raises(Stopped):
            leco.fit(**more, output=folder)
    for others in ({"epochs": MORE + 1}, {"epochs": FIRST}, {"epochs": MORE, "seed": 1}):
        if others["epochs"] != MORE + 1 or log_of(folder).planned < MORE:
            with pytest.raises(LecoError, match="holds a run with other settings"):
                leco.fit(**{**arguments, **others}, output=folder)
    leco.fit(**more, output=folder)
    for name in ("model.safetensors", "config.json"):
        assert (folder / name).read_bytes() == (continued / name).read_bytes(), name
    assert {path.name for path in folder.iterdir()} == {path.name for path in continued.iterdir()}


def test_what_the_first_training_left_is_not_taken_up(monkeypatch, tmp_path, arguments, continued):
    """It is stopped between its last file and the removal of its checkpoints."""
    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_at(patched, "leco.pipeline.clear_work", 1)
        with pytest.raises(Stopped):
            leco.fit(**arguments, output=folder)
    assert (folder / "training.json").exists()
    assert (folder / "work" / "second-stage").exists()
    leco.fit(**{**arguments, "epochs": MORE}, output=folder)
    assert (folder / "model.safetensors").read_bytes() == (continued / "model.safetensors").read_bytes()
    assert [(row["phase"], row["epoch"]) for row in log_of(folder).epochs] == [
        (row["phase"], row["epoch"]) for row in log_of(continued).epochs
    ]
    assert not (folder / "work").exists()


def test_where_no_epoch_is_better_the_model_stays(monkeypatch, tmp_path, arguments, finished):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    monkeypatch.setattr(TrainingLog, "best", lambda log, phase, selects: -len(log.epochs))
    leco.fit(**{**arguments, "epochs": MORE}, output=folder)
    for name in ("model.safetensors", "config.json", "results.json"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name
    assert log_of(folder).planned == MORE
    assert load_model(folder).predict(["a good film"])


def test_a_run_that_is_not_finished_or_has_other_settings_does_not_go_on(tmp_path, arguments, finished):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for others in ({"epochs": MORE, "lr": 1e-4}, {"epochs": MORE, "exits": "linear"}):
        with pytest.raises(LecoError, match="holds a run with other settings"):
            leco.fit(**{**arguments, **others}, output=folder)
    (folder / "training.json").unlink()
    with pytest.raises(LecoError, match=r"holds a run with other settings \(epochs: 1 there, 3 now\)"):
        leco.fit(**{**arguments, "epochs": MORE}, output=folder)


ASKED = 4
EARLY = {"exits": "linear", "strategy": "alternating", "epochs": ASKED, "early_stopping": 100}
"""Of runs that end early where `stop_after` says so."""


def stop_after(monkeypatch, **epochs):
    """End a phase that is judged by `avg` or by the `last` exit early, after so many epochs."""

    def is_over(self, args, state):
        return round(state.epoch or 0) >= epochs[args.metric_for_best_model]

    monkeypatch.setattr("leco.training.trainer.EarlyStopping.is_over", is_over)


def numbers_of(folder):
    """The epochs of each phase as the log numbers them."""
    found = {}
    for row in log_of(folder).epochs:
        found.setdefault(row["phase"], []).append(row["epoch"])
    return found


class Seeds(TrainerCallback):
    """Notes the seed of each training."""

    def __init__(self):
        self.seeds = []

    def on_train_begin(self, args, state, control, **given):
        self.seeds.append(args.seed)


@pytest.fixture(scope="module")
def ended_early(arguments, tmp_path_factory):
    """The folder of a run of four epochs that ended after two; not to be changed."""
    folder = tmp_path_factory.mktemp("early") / "run"
    with pytest.MonkeyPatch.context() as patched:
        stop_after(patched, avg=2)
        leco.fit(**{**arguments, **EARLY}, output=folder)
    return folder


def test_after_early_stopping_it_goes_on_from_the_epochs_that_there_were(
    monkeypatch, tmp_path, arguments, ended_early, capsys
):
    assert (numbers_of(ended_early), log_of(ended_early).planned) == ({"training": [1, 2]}, ASKED)
    folder, seen, seeds, loss = tmp_path / "run", [], Seeds(), Alternating.loss
    shutil.copytree(ended_early, folder)
    leco.fit(**{**arguments, **EARLY}, output=folder)
    assert numbers_of(folder) == {"training": [1, 2]}, "it is finished"
    capsys.readouterr()

    def noting(self, model, output, labels, current):
        seen.append(current.epoch)
        return loss(self, model, output, labels, current)

    monkeypatch.setattr(Alternating, "loss", noting)
    leco.fit(**{**arguments, **EARLY, "epochs": 6}, output=folder, callbacks=[seeds])
    assert (
        f"'{folder}' has 2 of 4 epochs, stopped early: those up to 6 begin from its weights" in capsys.readouterr().err
    )
    assert (numbers_of(folder), log_of(folder).planned) == ({"training": [1, 2, 3, 4, 5, 6]}, 6)
    assert list(dict.fromkeys(seen)) == [2, 3, 4, 5]
    assert seeds.seeds == [2]
    assert run_settings(folder)["epochs"] == 6


@pytest.mark.parametrize("call", [1, 20])
def test_what_goes_on_after_early_stopping_may_be_stopped(monkeypatch, tmp_path, arguments, ended_early, call):
    whole, folder, more = tmp_path / "whole", tmp_path / "run", {**arguments, **EARLY, "epochs": 5}
    for copy in (whole, folder):
        shutil.copytree(ended_early, copy)
    leco.fit(**more, output=whole)
    with monkeypatch.context() as patched:
        stop_at(patched, "leco.training.trainer.MultiExitTrainer.training_step", call)
        with pytest.raises(Stopped):
            leco.fit(**more, output=folder)
    leco.fit(**more, output=folder)
    for name in ("model.safetensors", "config.json"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    assert numbers_of(folder) == numbers_of(whole) == {"training": [1, 2, 3, 4, 5]}


def test_each_phase_goes_on_from_its_own_epochs(monkeypatch, tmp_path, arguments, capsys):
    run, folder = {**arguments, **EARLY, "strategy": "two-stage"}, tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_after(patched, last=1, avg=3)
        leco.fit(**run, output=folder)
    capsys.readouterr()
    leco.fit(**{**run, "epochs": 5}, output=folder)
    assert (
        "has 1 (first-stage) and 3 (second-stage) of 4 epochs, stopped early: those up to 5" in capsys.readouterr().err
    )
    assert numbers_of(folder) == {phase: [1, 2, 3, 4, 5] for phase in ("first-stage", "second-stage")}


def test_a_log_that_counts_epochs_that_never_were_is_put_right(tmp_path, arguments, ended_early):
    """As it was written after early stopping and more epochs, formerly."""
    folder = tmp_path / "run"
    shutil.copytree(ended_early, folder)
    before = json.loads((folder / "training.json").read_text())
    before["epochs"] = [{**row, "epoch": float(number)} for row, number in zip(before["epochs"], (1, 4), strict=True)]
    (folder / "training.json").write_text(json.dumps(before))
    leco.fit(**{**arguments, **EARLY, "epochs": 5}, output=folder)
    assert numbers_of(folder) == {"training": [1, 2, 3, 4, 5]}
