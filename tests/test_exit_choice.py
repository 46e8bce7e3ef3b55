"""Runs whose exits are on some layers: named, or those that are left once exits are dropped."""

import json
from dataclasses import replace

import numpy as np
import pytest

import leco
from leco import LecoError
from leco.evaluation import exit_times, pruning
from leco.exits.architecture import Architecture, save_architectures
from leco.exits.modules import embeddings_exit
from leco.model import load_model
from leco.settings import ExitOptions
from offline import OPTIONS, rows, write_csv
from test_pipeline import Stopped, stop_at


@pytest.fixture(scope="module")
def arguments(encoder_folder, reviews):
    """Of a run that takes seconds."""
    return {"model": str(encoder_folder), "data": str(reviews), **OPTIONS, "exits": "mha"}


def for_training(arguments, settings):
    """The arguments of `train`, with these settings."""
    kept = {name: value for name, value in arguments.items() if name not in ("repeats", "timed_texts")}
    return {**kept, **settings}


@pytest.fixture
def dear_exits(monkeypatch):
    """Exits take as long as many layers, so that all but the last are dropped."""
    monkeypatch.setattr(pruning, "measure_times", lambda *_: exit_times.ExitTimes([1.0] * 3, {1: 9.0, 2: 9.0, 3: 9.0}))


def test_named_layers_have_the_exits(arguments, tmp_path):
    trained = leco.fit(**arguments, output=tmp_path / "run", exit_layers="1,3")
    assert list(trained.task.exit_layers) == [1, 3]
    training = json.loads((tmp_path / "run" / "training.json").read_text())
    assert {name for name in training["epochs"][0] if "exit_" in name} == {"dev_exit_1", "dev_exit_3"}
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["exit_layers"] == [1, 3]
    assert len(results["exit_scores"]) == 2
    assert len(results["exit_layer_counts"]) == 3
    assert results["exit_layer_counts"][1] == 0
    assert "with an exit on 2 of its 3 layers" in (tmp_path / "run" / "README.md").read_text()
    write_csv(tmp_path / "new.csv", rows(400, 5))
    made = leco.calibrate(tmp_path / "run", tmp_path / "new.csv", max_drop=0.2, criterion="entropy")
    answers = load_model(tmp_path / "run").predict([text for text, _ in rows(400, 5)])
    assert {answer.exit_layer for answer in answers} <= {1, 3}
    assert made.mean_exit_layer == pytest.approx(np.mean([answer.exit_layer for answer in answers]), abs=0.2)


def test_the_embeddings_may_have_one(arguments, tmp_path):
    settings = {**arguments, "exit_layers": "0,1,3", "prune_exits": True, "max_drop": 1.0, "criterion": "entropy"}
    settings["seed"] = 1  # by seed 0 a text of test is beyond the threshold of dev
    trained = leco.fit(**settings, output=tmp_path / "run")
    pruned = json.loads((tmp_path / "run" / "pruning.json").read_text())
    assert pruned["steps"][0]["exit_layers"] == [0, 1, 3]
    assert list(trained.task.exit_layers) == [0, 3]  # all texts leave at once
    training = json.loads((tmp_path / "run" / "training.json").read_text())
    assert {name for name in training["epochs"][0] if "exit_" in name} == {"dev_exit_0", "dev_exit_1", "dev_exit_3"}
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["exit_layers"], results["mean_exit_layer"]) == ([0, 3], 0)
    assert results["exit_layer_counts"] == [results["rows"], 0, 0, 0]
    assert "an exit on the embeddings and 1 of its 3 layers" in (tmp_path / "run" / "README.md").read_text()
    texts = [text for text, _ in rows(400, 5)]
    assert 0 in {answer.exit_layer for answer in load_model(tmp_path / "run").predict(texts)} <= {0, 3}
    write_csv(tmp_path / "new.csv", rows(400, 5))
    made = leco.calibrate(tmp_path / "run", tmp_path / "new.csv", target_speedup=10.0, criterion="entropy")
    assert made.mean_exit_layer < 0.3  # of 3 layers


def test_learned_exits_may_stand_on_them(arguments, tmp_path):
    settings = for_training(arguments, {"exits": "learned", "exit_layers": "0,3"})
    trained = leco.train(**settings, output=tmp_path / "run")
    found = json.loads((tmp_path / "run" / "architectures.json").read_text())
    assert len(found) == 3
    assert [one.to_dict() for one in trained.exit_architectures] == [found[0], found[2]]


def test_one_that_would_read_the_first_token_alone_reads_all(arguments, tmp_path):
    """All texts have one embedding there, with which the exit could not tell them apart."""
    one = Architecture("tanh", "skip-connect", "null", "cls", "tanh", width=8)
    save_architectures(tmp_path / "exits.json", [one] * 3)
    settings = for_training(arguments, {"exits": str(tmp_path / "exits.json"), "exit_layers": "0,3"})
    trained = leco.train(**settings, output=tmp_path / "run")
    assert trained.exit_architectures == [replace(one, pooler="avg"), one]
    first, _ = trained.exit_outputs(trained.encode(["a good film", "so bad", "it is"]))[0][:, :, 0]
    assert len(set(first.tolist())) == 3


@pytest.mark.parametrize(
    ("architecture", "pooler"),
    [
        (Architecture("relu", "conv_1", "skip-connect", "cls", "tanh"), "avg"),
        (Architecture("relu", "null", "conv_1", "cls", "tanh"), "avg"),
        (Architecture("relu", "conv_1", "conv_3", "cls", "tanh"), "cls"),
        (Architecture("relu", "mha_2", "null", "cls", "tanh"), "cls"),
        (Architecture("relu", "skip-connect", "null", "max", "tanh"), "max"),
    ],
)
def test_the_exit_on_the_embeddings_is_that_on_layer_1_unless_it_reads_one_token(architecture, pooler):
    assert embeddings_exit(architecture) == replace(architecture, pooler=pooler)


@pytest.mark.parametrize("written", ["1, 3", "01,3", " 1,+3"])
def test_numbers_of_layers_are_told_apart_by_their_values(written):
    assert ExitOptions(exit_layers=written) == ExitOptions(exit_layers="1,3")


def test_more_epochs_train_them_further(arguments, tmp_path):
    leco.fit(**arguments, output=tmp_path / "run", exit_layers="1,3")
    more = leco.fit(**{**arguments, "epochs": arguments["epochs"] + 1}, output=tmp_path / "run", exit_layers="1, 3")
    assert list(more.task.exit_layers) == [1, 3]


@pytest.mark.parametrize("strategy", ["joint", "two-stage", "gradient-equilibrium", "global-past-future", "gaml"])
def test_every_kind_of_strategy_trains_them(arguments, tmp_path, strategy):
    exits = None if strategy == "global-past-future" else "mha"
    settings = {"exits": exits, "epochs": 1, "standardize": True}
    trained = leco.train(
        **for_training(arguments, settings), strategy=strategy, output=tmp_path / "run", exit_layers="2,3"
    )
    assert {answer.exit_layer for answer in trained.predict(["a good film", "bad"], "static:layer=2")} == {2}


def test_exits_that_are_not_worth_their_time_are_dropped(arguments, tmp_path, dear_exits):
    trained = leco.fit(**arguments, output=tmp_path / "run", prune_exits=True)
    assert list(trained.task.exit_layers) == [3]
    loaded = load_model(tmp_path / "run")
    assert list(loaded.task.exit_layers) == [3]
    assert loaded.config.exit_criterion is not None
    steps = json.loads((tmp_path / "run" / "pruning.json").read_text())["steps"]
    assert [len(step["exit_layers"]) for step in steps] == [3, 2, 1]
    assert not (tmp_path / "run" / "work").exists()
    with pytest.raises(LecoError, match=r"epochs: the run in .* has dropped exits and cannot go on"):
        leco.fit(**{**arguments, "epochs": 9}, output=tmp_path / "run", prune_exits=True)
    (tmp_path / "run" / "results.json").unlink()  # as if the run had been killed before; it is still this run's
    leco.fit(**arguments, output=tmp_path / "run", prune_exits=True)
    assert (tmp_path / "run" / "results.json").exists()


def test_a_run_that_has_dropped_none_takes_more_epochs(arguments, tmp_path, monkeypatch):
    settings = for_training(arguments, {"prune_exits": True, "exit_layers": "3", "criterion": "static"})
    with monkeypatch.context() as patch:
        stop_at(patch, "leco.pipeline.run_pruning", 1)
        with pytest.raises(Stopped):
            leco.train(**settings, output=tmp_path / "run")
    for epochs in (arguments["epochs"] + 1, arguments["epochs"] + 2):
        leco.train(**{**settings, "epochs": epochs}, output=tmp_path / "run")
        assert len(json.loads((tmp_path / "run" / "training.json").read_text())["epochs"]) == epochs
        (step,) = json.loads((tmp_path / "run" / "pruning.json").read_text())["steps"]
        assert step["exit_layers"] == [3]


@pytest.mark.parametrize(("target", "call"), [("pathlib.Path.replace", 1), ("pathlib.Path.replace", 2)])
def test_a_run_that_is_killed_while_it_saves_them_goes_on(arguments, tmp_path, monkeypatch, dear_exits, target, call):
    leco.fit(**arguments, output=tmp_path / "whole", prune_exits=True)
    with monkeypatch.context() as patch:
        patch.setattr(leco.pipeline, "run_pruning", stopping_after(leco.pipeline.run_pruning, patch, target, call))
        with pytest.raises(Stopped):
            leco.fit(**arguments, output=tmp_path / "killed", prune_exits=True)
    assert (tmp_path / "killed" / "work").exists()
    leco.fit(**arguments, output=tmp_path / "killed", prune_exits=True)
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "killed" / "work").exists()


def stopping_after(run_pruning, patch, target, call):
    """The pruning, after which the process stops at a call of `target`, in saving the model."""

    def pruned(*given):
        found = run_pruning(*given)
        save = leco.pipeline.save_model

        def saving(*some):
            stop_at(patch, target, call)
            save(*some)

        patch.setattr(leco.pipeline, "save_model", saving)
        return found

    return pruned


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exit_layers": "1,2"}, r"exit_layers: The layers that have an exit must rise .* not be 1, 2"),
        ({"exit_layers": "3,1,3"}, "exit_layers: .* must rise"),
        ({"exit_layers": "-1,3"}, "exit_layers: .* must rise from at least 0, the embeddings"),
        ({"exit_layers": "0,3", "exits": "linear"}, "exit_layers: linear exits read the first token alone, .* mha"),
        ({"exit_layers": "4"}, "exit_layers: .*last one, 3"),
        ({"exit_layers": ""}, "exit_layers must be numbers of layers by comma"),
        ({"exit_layers": "1;3"}, "exit_layers must be numbers of layers by comma, such as 2,4,6, not '1;3'"),
        ({"exit_layers": 3}, "exit_layers must be text"),
        ({"exit_layers": "3", "strategy": "gaml"}, "'gaml' needs 2 exits or more, but there is 1"),
        ({"exit_layers": "1,3", "criterion": "static:layer=2"}, "criterion: layer must be one that has an exit"),
        ({"prune_exits": True, "criterion": "cobee:tau=0.1"}, "prune_exits chooses settings on dev: give criterion"),
        ({"prune_exits": True, "exits": "past-future", "strategy": "global-past-future"}, "prune_exits: .* know each"),
    ],
    ids=str,
)
def test_what_cannot_be(arguments, tmp_path, settings, message):
    with pytest.raises(LecoError, match=message):
        leco.train(**for_training(arguments, settings), output=tmp_path / "run")
    assert not (tmp_path / "run").exists()
