"""`leco fit` in two processes: one run, which ends as one, in whatever way."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from distributed.pair import command_line, run_pair
from leco.training.trainer import MultiExitTrainer
from offline import SHORT, rows, write_csv


def fit_flags(encoder, data, output, *more):
    """The arguments of a run that takes seconds."""
    return ["fit", "--model", str(encoder), "--data", str(data), "--output", str(output), *SHORT, *map(str, more)]


def said(printed):
    """The errors that were shown."""
    return [line for line in "\n".join(printed).splitlines() if line.startswith("error:")]


@pytest.fixture(scope="module")
def together(tmp_path_factory, encoder_folder, reviews):
    """The folder that two processes made, and what was on standard output."""
    folder = tmp_path_factory.mktemp("together")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "leco"]
    run = subprocess.run(
        [*command, *fit_flags(encoder_folder, reviews, folder / "model", "--json")],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return folder / "model", run.stdout, run.stderr


def test_torchrun_makes_what_one_process_makes(together, fitted):
    """The same files, one of each, and a model that has learned; dropout is another, so that the weights are."""
    folder, printed, errors = together
    assert {path.name for path in folder.iterdir()} == {path.name for path in fitted.iterdir()}
    assert json.loads(printed)["score"] > 0.9
    assert json.loads(printed) == {**json.loads((folder / "results.json").read_text()), **_certificate(printed)}
    assert errors.count("training epoch 1/3") == 1
    settings = [json.loads((one / "run.json").read_text())["settings"] for one in (folder, fitted)]
    assert settings[0] == settings[1], "how many processes there are does not make a run another one"


def _certificate(printed):
    found = json.loads(printed)
    return {"certificate": found["certificate"]} if "certificate" in found else {}


def kill_in_step(arguments, victim, number):
    """Run a command in which process `victim` is killed before its training step of that number."""
    steps, step = [], MultiExitTrainer.training_step

    def counting(*given):
        steps.append(1)
        if len(steps) == number and os.environ["RANK"] == str(victim):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*given)

    MultiExitTrainer.training_step = counting
    command_line(arguments)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_which_goes_on_when_repeated(victim, together, encoder_folder, reviews, tmp_path):
    arguments = fit_flags(encoder_folder, reviews, tmp_path / "model")
    codes, printed = run_pair(tmp_path, kill_in_step, arguments, victim, 17)
    assert codes[victim] == -signal.SIGKILL
    assert codes[1 - victim] == 2
    assert "Traceback" not in "".join(printed)
    if victim == 1:
        ended = "error: Another of the 2 processes has ended, and with it all others."
        assert said(printed) == [f"{ended} The same command goes on where they stopped."]
    assert list((tmp_path / "model" / "work" / "training").glob("checkpoint-*/complete"))
    codes, printed = run_pair(tmp_path, command_line, arguments)
    assert codes == [0, 0], printed
    for name in ("architectures.json", "model.safetensors", "config.json"):
        assert (tmp_path / "model" / name).read_bytes() == (together[0] / name).read_bytes(), name


def test_what_is_wrong_for_one_ends_both_with_one_sentence(encoder_folder, reviews, tmp_path):
    """Settings, data and divergence; other data; a folder that is taken; a command for one process."""
    other = write_csv(tmp_path / "other.csv", rows(seed=1))
    shared = ["--model", str(encoder_folder), "--output", str(tmp_path / "model"), *SHORT]
    fit = ["fit", *shared]
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("somebody else's")
    cases = [
        ([*fit, "--data", str(reviews), "--max-drop", "2"], None, "--max-drop must be at most 1"),
        ([*fit, "--data", str(tmp_path / "none.csv")], None, "none.csv"),
        (fit, [["--data", str(reviews)], ["--data", str(other)]], "Process 1 reads other data than the first"),
        (fit, [["--data", str(reviews)], ["--data", str(tmp_path / "gone.csv")]], "gone.csv"),
        (fit_flags(encoder_folder, reviews, tmp_path / "taken"), None, "holds something else"),
        (["predict", str(tmp_path), "a text"], None, "'leco predict' runs in one process, but 2 were started."),
        (fit_flags(encoder_folder, reviews, tmp_path / "nan", "--search-lr", "1e30"), None, "The search diverged"),
        (fit_flags(encoder_folder, reviews, tmp_path / "inf", "--exits", "linear", "--lr", "1e30"), None, "diverged"),
    ]
    for arguments, own, expected in cases:
        codes, printed = run_pair(tmp_path, command_line, arguments, own)
        assert codes == [2, 2], printed
        assert len(said(printed)) == 1, printed
        assert expected in said(printed)[0]
        assert "Traceback" not in "".join(printed)


def test_there_may_be_more_processes_than_rows_in_a_batch(encoder_folder, tmp_path):
    data = write_csv(tmp_path / "few.csv", rows(24))
    arguments = fit_flags(encoder_folder, data, tmp_path / "model", "--batch-size", 1, "--epochs", 1)
    codes, printed = run_pair(tmp_path, command_line, [*arguments, "--exits", "linear"])
    assert codes == [0, 0], printed
    assert Path(tmp_path / "model" / "results.json").exists()
