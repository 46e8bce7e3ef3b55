"""Training: it learns, keeps the best epoch, continues where it was killed, and runs as Transformers' Trainer does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

import toy
from leco.data import collate, score
from leco.exits.architecture import LINEAR
from leco.model import doubt_loss
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL
from leco.training import callbacks, checkpoints
from leco.training.checkpoints import last_checkpoint, mark_complete
from leco.training.options import RunOptions, TrainingOptions
from leco.training.strategies import STRATEGIES, Phase
from toy import LEARNED, TOKENIZER, Killed, batch, dataset, model_with, same_weights


def run(model, folder, epochs=3, data=None, metric="accuracy", **options):
    train_data = data or dataset()
    dev_data = data or dataset(rows=32, seed=1)
    settings = RunOptions(batch_size=8, **{k: options.pop(k) for k in ("seed", "bf16") if k in options})
    training = TrainingOptions(epochs=epochs, **{"lr": 1e-3, "exit_lr": 1e-2, **options})
    return toy.train(model, (train_data, dev_data, metric), Path(folder), training, run=settings)


def test_the_weights_of_the_best_epoch_are_kept(tmp_path):
    seen = {}

    class Watch(TrainerCallback):
        def on_evaluate(self, args, state, control, metrics, model, **_):
            seen.setdefault(metrics["eval_avg"], {k: v.clone() for k, v in model.state_dict().items()})

    model = model_with(LEARNED)
    train_data, dev_data = dataset(), dataset(rows=32, seed=1)
    options = TrainingOptions(epochs=4, lr=1e-3, exit_lr=1e-2)
    toy.train(model, (train_data, dev_data), tmp_path, options, callbacks=[Watch()])
    best = seen[max(seen)]
    assert all(torch.equal(value, best[name]) for name, value in model.state_dict().items())


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path):
    models = [model_with(LEARNED) for _ in range(3)]
    for index, (model, seed) in enumerate(zip(models, (0, 0, 1))):
        run(model, tmp_path / str(index), epochs=1, seed=seed)
    assert same_weights(models[0], models[1])
    assert not same_weights(models[0], models[2])


@pytest.mark.parametrize(("callback", "hook"), [(callbacks.Bar, "on_step_end"), (checkpoints.Checkpoints, "on_save")])
def test_a_killed_training_ends_as_one_that_was_not(tmp_path, monkeypatch, callback, hook):
    """Killed in the middle of the second epoch, and when its checkpoint is written but not yet marked as whole."""
    expected = model_with(LEARNED)
    run(expected, tmp_path / "whole")
    undisturbed = getattr(callback, hook)

    def die(self, args, state, control, **given):
        if state.epoch > 1:
            raise Killed
        undisturbed(self, args, state, control, **given)

    with monkeypatch.context() as patch:
        patch.setattr(callback, hook, die)
        with pytest.raises(Killed):
            run(model_with(LEARNED), tmp_path / "broken")
    torch.manual_seed(999)  # whatever ran before must not matter
    resumed = model_with(LEARNED)
    log = run(resumed, tmp_path / "broken")
    assert same_weights(resumed, expected)
    assert len(log.epochs) == 3


def no_better(self, args, state, control, metrics, **_):
    """What dev says after the second epoch is worse."""
    for entry in (metrics, state.log_history[-1]):
        entry["eval_avg"] = {1: 0.1, 2: 0.2}.get(round(state.epoch), 0.15)


@pytest.mark.parametrize("killed_in", [None, 3, 4])
def test_early_stopping_ends_after_epochs_that_are_no_better(tmp_path, monkeypatch, killed_in):
    """Whether or not it is killed as the checkpoint of an epoch has been written, the last one's among them."""
    options = TrainingOptions(epochs=9, lr=1e-3, exit_lr=1e-2, early_stopping=2)
    data = dataset(), dataset(rows=32, seed=1)
    monkeypatch.setattr(callbacks.Bar, "on_evaluate", no_better)  # the first callback that sees the scores
    if killed_in:
        marked = checkpoints.Checkpoints.on_save

        def die(self, args, state, control, **given):
            marked(self, args, state, control, **given)
            if round(state.epoch) == killed_in:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(checkpoints.Checkpoints, "on_save", die)
            with pytest.raises(Killed):
                toy.train(model_with(LEARNED), data, tmp_path, options)
    model = model_with(LEARNED)
    log = toy.train(model, data, tmp_path, options)
    assert [row["epoch"] for row in log.epochs] == [1, 2, 3, 4]
    assert log.planned == 9
    best = model_with(LEARNED)
    toy.train(best, data, tmp_path / "two", TrainingOptions(epochs=9, lr=1e-3, exit_lr=1e-2, early_stopping=1))
    assert same_weights(model, best)


def test_unfinished_checkpoints_are_removed_and_not_used(tmp_path):
    for step, whole in ((8, True), (16, True), (24, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if whole:
            mark_complete(folder)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-16"
    assert not (tmp_path / "checkpoint-24").exists()
    assert last_checkpoint(tmp_path / "nothing") is None


def test_only_the_last_and_the_best_checkpoint_stay(tmp_path):
    run(model_with(LINEAR), tmp_path, epochs=4)
    assert 1 <= len(list((tmp_path / "training").glob("checkpoint-*"))) <= 2


@pytest.mark.parametrize("options", [{"bf16": True}, {"gradient_accumulation": 2}])
def test_mixed_precision_and_accumulation_train(tmp_path, options):
    model = model_with(LEARNED)
    log = run(model, tmp_path, epochs=6, data=dataset(rows=96), **options)
    assert max(row["dev_avg"] for row in log.epochs) > 0.8
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_other_kinds_of_problems_train(tmp_path):
    data = dataset(rows=64)
    data.labels = data.labels.astype(np.float32)
    model = model_with(LEARNED, REGRESSION)
    log = run(model, tmp_path / "regression", epochs=6, data=data, metric="pearson_spearman")
    assert max(row["dev_avg"] for row in log.epochs) > 0.7
    data.labels = np.stack([data.labels, 1 - data.labels], axis=1)
    model = model_with(LEARNED, MULTI_LABEL)
    log = run(model, tmp_path / "many", epochs=6, data=data, metric="f1_micro")
    assert max(row["dev_avg"] for row in log.epochs) > 0.8


def test_a_phase_freezes_what_it_does_not_train():
    model = model_with(LINEAR)
    Phase(backbone=False, exits=frozenset({1, 3})).freeze(model)
    trained = {name.split(".")[0] + name.split(".")[1] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"exits0", "exits2", "metaweight", "metabias"}
    Phase().freeze(model)
    assert all(p.requires_grad for p in model.parameters())


def test_joint_is_the_sum_of_all_exits_losses():
    model = model_with(LEARNED).eval()
    inputs = batch()
    output = model(**inputs)
    expected = 0.0
    for exit_logits in output.exit_logits:
        for logits, label in zip(exit_logits, inputs["labels"]):
            expected -= logits.log_softmax(-1)[label].item() / 8
    loss = STRATEGIES["joint"]().loss(model, output, inputs["labels"], None)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_meta_classifier_learns_which_exits_are_wrong_and_nobody_learns_from_it(tmp_path):
    model = model_with(LEARNED).train()
    inputs = batch()
    output = model(**inputs)
    doubt_loss(
        output.doubts_by_row, output.logits_by_row, inputs["labels"], PROBLEMS["single_label_classification"]
    ).backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {"meta.weight", "meta.bias"}
    run(model, tmp_path, epochs=8, data=dataset(rows=96))
    with torch.no_grad():
        output = model.eval()(**inputs)
    wrong = output.logits_by_row.argmax(-1) != inputs["labels"].unsqueeze(1)
    assert (output.doubts_by_row - wrong.float()).square().mean() < 0.25


def test_doubts_are_squared_errors_by_a_loop():
    logits = torch.tensor([[[2.0, 1.0], [0.0, 1.0]], [[0.0, 3.0], [1.0, 0.0]]])  # [B, M, K]
    doubts = torch.tensor([[0.2, 0.7], [0.4, 0.9]])
    found = doubt_loss(doubts, logits, torch.tensor([0, 1]), PROBLEMS["single_label_classification"])
    assert found.item() == pytest.approx((0.2**2 + 0.4**2) / 2 + ((0.7 - 1) ** 2 + (0.9 - 1) ** 2) / 2)
    values = torch.tensor([[[1.0], [2.0]]])
    found = doubt_loss(doubts[:1], values, torch.tensor([1.5]), PROBLEMS["regression"])
    target = torch.tensor(0.5).tanh().item()
    assert found.item() == pytest.approx((0.2 - target) ** 2 + (0.7 - target) ** 2)
    many = doubt_loss(doubts[:1], logits[:1], torch.tensor([[1.0, 1.0]]), PROBLEMS["multi_label_classification"])
    assert many.item() == pytest.approx(0.2**2 + (0.7 - 1) ** 2)


@pytest.mark.parametrize("many", [False, True])
def test_the_dev_scores_are_those_of_the_trained_model(tmp_path, many):
    data = dataset(rows=64)
    data.labels = (
        np.stack([data.labels, np.zeros_like(data.labels)], axis=1).astype(np.float32) if many else data.labels
    )
    problem_type, metric = (MULTI_LABEL, "f1_micro") if many else (SINGLE_LABEL, "accuracy")
    model = model_with(LEARNED, problem_type)
    log = run(model, tmp_path, epochs=1, data=data, metric=metric, lr=1e-4, exit_lr=1e-4)
    with torch.no_grad():
        logits = model.eval()(**collate(TOKENIZER, [data[row] for row in range(len(data))])).exit_logits
    for layer, exit_logits in enumerate(logits, start=1):
        answers = (exit_logits.sigmoid() > 0.5).int() if many else exit_logits.argmax(-1)
        assert log.epochs[0][f"dev_exit_{layer}"] == pytest.approx(score(metric, data.labels, answers.numpy()))
