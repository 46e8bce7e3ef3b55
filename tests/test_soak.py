"""Commands that are killed while they change files end, when they are repeated, as if nothing had happened."""

import json
import shutil
import signal

import pytest

from killed import command, start_warm
from leco.files import TEMPORARY
from leco.folders import LOCK
from offline import rows, write_csv, write_encoder

FIT = ["--epochs", 2, "--search-epochs", 1, "--batch-size", 16, "--lr", 3e-3, "--exit-lr", 1e-2]
FAST = ["--repeats", 1, "--timed-texts", 2]
COMMANDS = {
    "fit": ["fit", "--model", "ENCODER", "--data", "DATA", "--output", "OUT", *FIT, *FAST],
    "export": ["export", "MODEL", "--output", "OUT/model.onnx"],
    "evaluate": ["evaluate", "MODEL", "--data", "DATA", "--output", "OUT", "--criterion", "cobee", *FAST],
    "report": ["report", "MODEL", "--output", "OUT/report.html"],
}
KILLS = {"fit": 14, "export": 3, "evaluate": 4, "report": 4}
"""How many of a command's changes it is killed at by default: all of them with `-m soak`."""


class Soak:
    """The commands on a tiny model, and what each of them makes when nobody kills it."""

    def __init__(self, folder):
        self.folder, self.context = folder, start_warm()
        self.words = {
            "ENCODER": str(write_encoder(folder / "encoder")),
            "DATA": str(write_csv(folder / "reviews.csv", rows(40))),
            "MODEL": str(folder / "fit"),
        }
        self.changes = {name: self.run(name, folder / name) for name in COMMANDS}

    def run(self, name, output, kill_at=None):
        """Run a command; the number of its changes, or None where it was killed."""
        words = {**self.words, "OUT": str(output)}
        arguments = [str(word) for word in COMMANDS[name]]
        for placeholder, word in words.items():
            arguments = [argument.replace(placeholder, word) for argument in arguments]
        events = self.context.Value("i", 0)
        process = self.context.Process(target=command, args=(arguments, str(output), kill_at, events))
        process.start()
        process.join(120)
        assert process.exitcode in ([0] if kill_at is None else [0, -signal.SIGKILL]), f"{name} ended with an error"
        return events.value if process.exitcode == 0 else None

    def kill(self, name, number):
        """Kill a command at a change, repeat it, and compare with what it makes undisturbed."""
        output = self.folder / f"{name}-killed"
        shutil.rmtree(output, ignore_errors=True)
        assert self.run(name, output, number) is None, f"{name} has not come to its change {number}"
        self.run(name, output)
        left = {path.name for path in output.rglob("*")}
        assert not [one for one in left if one.startswith((TEMPORARY, LOCK))], f"{name}, {number}: something is left"
        assert left == {path.name for path in (self.folder / name).rglob("*")}, f"{name}, {number}"
        for path in (self.folder / name).iterdir():
            assert steady(output / path.name) == steady(path), f"{name}, {number}: {path.name} differs"


def steady(path):
    """What is in a file, but for times and what is drawn of them."""
    if path.name in ("results.json", "evaluation.json"):
        found = json.loads(path.read_text())
        return found["exit_scores"], found["score"], found["exit_layer_counts"], found["criterion"]
    exact = path.name in ("architectures.json", "config.json") or path.suffix in (".safetensors", ".onnx")
    return path.read_bytes() if exact else None


@pytest.fixture(scope="module")
def soak(tmp_path_factory):
    """The commands, run once undisturbed."""
    return Soak(tmp_path_factory.mktemp("soak"))


@pytest.mark.parametrize("name", COMMANDS)
def test_kills_spread_over_a_command(soak, name):
    number = soak.changes[name]
    for kill in range(KILLS[name]):
        soak.kill(name, 1 + kill * (number - 1) // (KILLS[name] - 1))


@pytest.mark.soak
@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_at_every_change(soak, name):
    for number in range(1, soak.changes[name] + 1):
        soak.kill(name, number)


def test_how_many_kills_there_are(soak):
    assert sum(KILLS.values()) >= 25
    assert sum(soak.changes.values()) >= 110
