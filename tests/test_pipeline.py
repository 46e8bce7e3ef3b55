"""A run that is stopped at any moment ends, when it is repeated, as one that was never stopped."""

import os
import resource
import shutil
import subprocess
import sys
import time
from functools import partial

import pytest

import leco
from leco import LecoError, bulk, pipeline
from leco.search.costs import DEFAULT
from leco.training.trainer import MultiExitTrainer
from offline import OPTIONS, SHORT, rows, write_csv


class Stopped(BaseException):
    """Nothing catches it, like a signal."""


def first(monkeypatch, target, act, call=1):
    """Lets `act` be called before the function `target`, when that is called for the `call`-th time."""
    calls = []

    def acting(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            act()
        return original(*args, **kwargs)

    owner, _, name = target.rpartition(".")
    module, _, owner_name = owner.rpartition(".")
    holder = sys.modules[owner] if owner in sys.modules else getattr(sys.modules[module], owner_name)
    original = getattr(holder, name)
    monkeypatch.setattr(holder, name, acting)


def stop():
    raise Stopped


def stop_at(monkeypatch, target, call):
    """The function `target` stops the process when it is called for the `call`-th time."""
    first(monkeypatch, target, stop, call)


def same_as(folder, reference):
    """The weights and architectures are the same, byte by byte, and nothing temporary is left."""
    for name in ("architectures.json", "model.safetensors", "config.json"):
        assert (folder / name).read_bytes() == (reference / name).read_bytes(), name
    assert {path.name for path in folder.iterdir()} == {path.name for path in reference.iterdir()}


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("leco.search.searcher.Searcher.weight_step", 3),  # in the first epoch of the search
        ("leco.search.searcher.Searcher.weight_step", 9),  # in its second
        ("leco.pipeline.build_model", 1),  # between search and training
        ("leco.training.trainer.MultiExitTrainer.training_step", 2),  # in the first epoch of the training
        ("leco.training.trainer.MultiExitTrainer.training_step", 17),  # in its second
        ("leco.training.trainer.MultiExitTrainer._save_rng_state", 2),  # while a checkpoint is written
        ("leco.training.trainer.MultiExitTrainer._load_best_model", 1),  # after the last epoch
        ("leco.model.MultiExitModel.save_pretrained", 4),  # while the model is written, after three checkpoints
        ("leco.pipeline.write_json", 1),  # between the model and the note that it is trained
        ("leco.pipeline.hold_contest", 1),
        ("leco.pipeline.model_card", 1),  # before the results
    ],
)
def test_a_stopped_run_continues_where_it_was(monkeypatch, tmp_path, fitted, encoder_folder, reviews, target, call):
    arguments = {"model": str(encoder_folder), "data": str(reviews), "output": tmp_path / "out", **OPTIONS}
    monkeypatch.setattr("leco.search.history.SearchHistory.draw", lambda history, path: path.write_bytes(b""))
    with monkeypatch.context() as patched:
        stop_at(patched, target, call)
        with pytest.raises(Stopped):
            leco.fit(**arguments)
    leco.fit(**arguments)
    same_as(tmp_path / "out", fitted)


def test_another_table_of_costs_is_another_run(monkeypatch, tmp_path, encoder_folder, reviews):
    table = tmp_path / "costs.json"
    table.write_bytes(DEFAULT.read_bytes())
    arguments = {"model": str(encoder_folder), "data": str(reviews), "output": tmp_path / "out", **OPTIONS}
    with monkeypatch.context() as patched:
        stop_at(patched, "leco.training.trainer.MultiExitTrainer.training_step", 2)
        with pytest.raises(Stopped):
            leco.fit(**arguments, cost_table=str(table))
    table.write_text(table.read_text().replace("0.3381", "0.4381"))
    with pytest.raises(LecoError, match=r"output '.*out' holds a run with other settings \(costs: "):
        leco.fit(**arguments, cost_table=str(table))


def test_finished_epochs_are_not_repeated(monkeypatch, tmp_path, encoder_folder, reviews):
    arguments = {"model": str(encoder_folder), "data": str(reviews), "output": tmp_path / "out", **OPTIONS}
    with monkeypatch.context() as patched:
        stop_at(
            patched, "leco.training.trainer.MultiExitTrainer.training_step", 30
        )  # in the third epoch of twelve steps
        with pytest.raises(Stopped):
            leco.fit(**arguments, exits="mha")
    steps = []
    step = MultiExitTrainer.training_step
    monkeypatch.setattr(MultiExitTrainer, "training_step", lambda *args: steps.append(1) or step(*args))
    leco.fit(**arguments, exits="mha")
    assert len(steps) == 12


def test_a_killed_process_continues(tmp_path, fitted, encoder_folder, reviews):
    """With SIGKILL: after the search's first checkpoint, and again after the training's first."""
    folder = tmp_path / "out"
    flags = ["fit", "--model", str(encoder_folder), "--data", str(reviews), "--output", str(folder), *SHORT]
    for pattern in ("work/search.pt", "work/training/checkpoint-*/complete"):
        process = subprocess.Popen([sys.executable, "-c", "from leco.cli import main; main()", *flags])
        until = time.monotonic() + 120
        while not list(folder.glob(pattern)) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        process.kill()
        assert process.wait() == -9, f"it was to be killed when {pattern} was there"
    (folder / "work" / "training" / "checkpoint-999").mkdir(parents=True)  # one that was being written
    leco.fit(model=str(encoder_folder), data=str(reviews), output=folder, **OPTIONS)
    same_as(folder, fitted)


def test_fit_from_python(fitted, encoder_folder, reviews):
    model = leco.fit(model=str(encoder_folder), data=str(reviews), output=fitted, **OPTIONS)
    answers = model.predict(["a film that is good", "it is so bad"], batch_size=2)
    assert [answer.label for answer in answers] == ["positive", "negative"]


def test_a_run_tokenizes_its_texts_once(monkeypatch, tmp_path, encoder_folder, reviews):
    seen, encode = [], leco.MultiExitModel.encode

    def noting(self, texts, *arguments, **options):
        seen.extend(texts)
        return encode(self, texts, *arguments, **options)

    monkeypatch.setattr(leco.MultiExitModel, "encode", noting)
    leco.fit(str(encoder_folder), str(reviews), tmp_path / "out", **{**OPTIONS, "exits": "linear", "epochs": 1})
    assert set(seen) == {"a text", ("a", "pair")}, "what is tried when a model is loaded, and none of the data"


def test_unknown_options_are_refused(tmp_path, encoder_folder, reviews):
    with pytest.raises(LecoError, match=r"Unknown option 'epoch'\. Did you mean 'epochs'\?"):
        leco.fit(model=str(encoder_folder), data=str(reviews), output=tmp_path / "out", epoch=3)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["model", "output", "data"])
@pytest.mark.parametrize("value", [None, 3, "", b"out", "\udcff"], ids=ascii)
def test_what_is_no_path_is_one_sentence(tmp_path, encoder_folder, reviews, name, value):
    given = {"model": str(encoder_folder), "data": str(reviews), "output": tmp_path / "out", name: value}
    for function in (leco.fit, leco.train, pipeline.search):
        with pytest.raises(LecoError, match=rf"^{name}(: .*| must be a path or a name, not .*| '.*' is not UTF-8)"):
            function(**given)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [None, 3, ""], ids=ascii)
def test_nor_can_it_be_calibrated_verified_or_answered_into(fitted, reviews, value):
    for function in (leco.calibrate, leco.verify):
        with pytest.raises(LecoError, match=r"^path must be a path or a name, not "):
            function(value, str(reviews))
    with pytest.raises(LecoError, match=r"^output must be a path or a name, not "):
        bulk.predict(str(fitted), str(reviews), value)


@pytest.mark.parametrize("option", [{"max_drop": 2}, {"repeats": 0}, {"timed_texts": 0}])
def test_ranges_hold_in_python_too(tmp_path, encoder_folder, reviews, option):
    name = next(iter(option))
    with pytest.raises(LecoError, match=f"^{name} must be .*, not {option[name]}"):
        leco.fit(model=str(encoder_folder), data=str(reviews), output=tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "target",
    [
        "leco.search.searcher.Searcher.weight_step",
        "leco.training.trainer.MultiExitTrainer.training_step",
        "leco.pipeline.hold_contest",
        "leco.pipeline.evaluate",
    ],
)
def test_a_folder_that_is_removed_midway_ends_the_run(monkeypatch, tmp_path, encoder_folder, reviews, target):
    folder = tmp_path / "out"
    first(monkeypatch, target, partial(shutil.rmtree, folder))
    arguments = {
        "model": str(encoder_folder),
        "data": str(reviews),
        "output": folder,
        **OPTIONS,
        "epochs": 1,
        "search_epochs": 1,
    }
    with pytest.raises(LecoError, match="was removed while this run was writing into it"):
        leco.fit(**arguments)
    assert not list(folder.rglob("*.json")), "nothing of the run is left in a folder that is not its own"


def test_a_second_run_in_the_same_folder_is_refused(monkeypatch, tmp_path, encoder_folder, reviews):
    arguments = {"model": str(encoder_folder), "data": str(reviews), "output": tmp_path / "out", **OPTIONS}
    errors = []

    def second():
        with pytest.raises(LecoError, match=f"is being written to by process {os.getpid()} on") as error:
            leco.fit(**arguments)
        errors.append(error)

    first(monkeypatch, "leco.search.searcher.Searcher.weight_step", second)
    leco.fit(**arguments)
    assert len(errors) == 1


@pytest.mark.parametrize(
    "target", ["leco.search.searcher.Searcher.weight_step", "leco.model.MultiExitModel.save_pretrained"]
)
def test_a_run_that_met_a_full_disk_continues(monkeypatch, tmp_path, fitted, encoder_folder, reviews, target):
    arguments = {"model": str(encoder_folder), "data": str(reviews), "output": tmp_path / "out", **OPTIONS}
    monkeypatch.setattr("leco.search.history.SearchHistory.draw", lambda history, path: path.write_bytes(b""))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with monkeypatch.context() as patched:
        fill = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (10_000, limit[1]))
        first(patched, target, fill)
        with pytest.raises(LecoError, match=r"cannot be written to .* a run continues where it stopped\."):
            leco.fit(**arguments)
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    leco.fit(**arguments)
    same_as(tmp_path / "out", fitted)


def test_weights_have_the_permissions_of_other_files(fitted):
    assert len({path.stat().st_mode for path in fitted.iterdir()}) == 1


@pytest.fixture
def parts(tmp_path):
    """The folder of a data set whose parts have no text in common but for chance."""
    folder = tmp_path / "data"
    for seed, (part, number) in enumerate({"train": 150, "dev": 60, "test": 40, "calibration": 60}.items()):
        write_csv(folder / f"{part}.csv", ((f"{text} {part}", label) for text, label in rows(number, seed)))
    return folder


QUICK = {"preset": "quick", "exits": "linear", "epochs": 1, "criterion": "entropy:tau=0.6"}
"""Of a training of a second, whose criterion is not chosen."""


def test_rows_that_were_trained_on_certify_nothing_and_are_counted(capsys, tmp_path, encoder_folder, parts):
    run = {"model": str(encoder_folder), "data": str(parts), **QUICK}
    assert leco.train(**run, output=tmp_path / "new").certificate is not None
    assert "warning" not in capsys.readouterr().err
    train = (parts / "train.csv").read_text().splitlines()
    (parts / "calibration.csv").write_text("\n".join(train[:61]))
    (parts / "test.csv").write_text("\n".join([*train[:11], "a film of tests,negative"]))
    model = leco.fit(**run, repeats=1, timed_texts=2, output=tmp_path / "old")
    said = capsys.readouterr().err
    assert f"'{parts}': the texts of 10 of 11 test rows, 60 of 60 calibration rows are in train too" in said
    assert "No certificate is made: data" in said
    assert "(its calibration rows): about 100% of its texts are among those on which the model was trained" in said
    assert model.certificate is leco.MultiExitModel.from_pretrained(tmp_path / "old").certificate is None
    assert (tmp_path / "old" / "results.json").exists()


def test_other_calibration_rows_are_refused_once_the_model_is_there(tmp_path, encoder_folder, parts):
    run = {"model": str(encoder_folder), "data": str(parts), **QUICK}
    rows_of_then = (parts / "calibration.csv").read_text()
    held = leco.train(**run, output=tmp_path / "run").certificate
    (parts / "calibration.csv").write_text(rows_of_then + "another film,negative\n")
    with pytest.raises(LecoError, match="data_hash"):
        leco.train(**run, output=tmp_path / "run")
    (parts / "calibration.csv").write_text(rows_of_then)
    assert leco.train(**run, output=tmp_path / "run").certificate == held
