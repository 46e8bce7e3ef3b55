"""One process at a time writes into a folder, and what goes wrong there is one sentence."""

import os
import resource
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import save_file

from leco import LecoError
from leco.files import TEMPORARY, atomic_path, write_json, write_text
from leco.folders import LOCK, holding, writing

HOLD = """
import sys, time
from pathlib import Path
from leco.folders import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def holder(tmp_path):
    """Starts another process that holds the folder for some seconds."""
    started = []

    def start(seconds):
        command = [sys.executable, "-c", HOLD, str(tmp_path / "out"), str(seconds)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_another_process_is_named_and_its_lock_dies_with_it(tmp_path, holder):
    process = holder(60)
    message = rf"output '.*out' is being written to by process {process.pid} on .* \(-c "
    with pytest.raises(LecoError, match=message), holding(tmp_path / "out"):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with holding(tmp_path / "out"):
        pass
    assert not list((tmp_path / "out").iterdir())


def test_a_short_one_is_waited_for(tmp_path, holder):
    holder(0.3)
    started = time.monotonic()
    with holding(tmp_path / "out", wait=30):
        assert time.monotonic() - started > 0.2


def test_two_of_one_process_are_two(tmp_path):
    with holding(tmp_path):
        (tmp_path / LOCK).write_text("{")  # as while its holder is writing it
        with pytest.raises(LecoError, match="by another process"), holding(tmp_path):
            pass
        assert (tmp_path / LOCK).exists(), "the second one has not removed the lock of the first"


def test_processes_of_one_training_hold_it_together(tmp_path, monkeypatch):
    with holding(tmp_path) as first:
        monkeypatch.setenv("RANK", "1")
        with holding(tmp_path) as second:
            second.check()
        first.check()


@pytest.mark.parametrize("made_again", [False, True])
def test_a_folder_that_was_removed_is_not_ours_any_more(tmp_path, made_again):
    folder = tmp_path / "out"
    with holding(folder) as hold:
        hold.check()
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        if made_again:
            folder.mkdir()
            (folder / LOCK).write_text("of another run")
        with pytest.raises(LecoError, match="was removed while this run was writing into it"):
            hold.check()
    assert (folder / LOCK).exists() == made_again, "another run's lock stays"


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", f"from pathlib import Path; from leco.files import atomic_path; import os\n"
         f"with atomic_path(Path({str(tmp_path / 'model.onnx')!r})): os.kill(os.getpid(), 9)"], check=False,
    )  # fmt: skip
    assert killed.returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(TEMPORARY)
    write_text(tmp_path / ".mine", "")
    with holding(tmp_path):
        assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == [".mine"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_files_obey_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "a")
        with atomic_path(tmp_path / "a.safetensors") as temporary:
            save_file({"a": torch.ones(3)}, temporary)
        with atomic_path(tmp_path / "a.pt") as temporary:
            torch.save(torch.ones(3), temporary)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o666 & ~umask}


def torch_save(path):
    torch.save({str(number): torch.ones(1000) for number in range(100)}, path)


WRITERS = {
    "text": lambda path: path.write_text("x" * 200_000),
    "torch": torch_save,
    "torch-open": lambda path: torch_save(path.open("wb")),
    "safetensors": lambda path: save_file({"a": torch.ones(100_000)}, path),
}


@pytest.fixture
def full_disk():
    """No file can become longer than 100,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_full_disk_is_one_sentence(tmp_path, full_disk, write):
    with pytest.raises(LecoError) as error, writing(tmp_path), atomic_path(tmp_path / "file.bin") as temporary:
        write(temporary)
    assert str(error.value).startswith(f"output '{tmp_path}' cannot be written to (")
    assert str(error.value).endswith("). Make room there and repeat the command: a run continues where it stopped.")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("unexpected end"), BrokenPipeError(), LecoError("x")])
def test_other_errors_stay_what_they_are(tmp_path, error):
    with pytest.raises(type(error)) as raised, writing(tmp_path):
        raise error
    assert raised.value is error


def test_names_that_are_too_long(tmp_path):
    message = r"cannot be written to \(File name too long\)\. Give a shorter name\."
    with pytest.raises(LecoError, match=message), holding(tmp_path / ("x" * 256)):
        pass
    write_json(tmp_path / ("x" * 250 + ".json"), 1)
