"""No command writes over a file that is not one of its own of that kind."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from leco import LecoError
from leco.evaluation import save_evaluation
from leco.evaluation.result import read_evaluation
from leco.export import export_onnx
from leco.model import load_model
from leco.runtime import Session

FAST = "--repeats 1 --timed-texts 1 --criterion entropy"
BENCH = "bench MODEL --texts 1 --rounds 1 --output OUT"


@pytest.fixture(scope="module")
def made(fitted, reviews, tmp_path_factory):
    """A model's folder with every kind of output in it, and foreign files beside."""
    from leco.cli import main

    folder = tmp_path_factory.mktemp("made") / "model"
    shutil.copytree(fitted, folder)
    evaluate = f"evaluate MODEL --data DATA {FAST} --output MODEL"
    for line in (evaluate, "report MODEL", "export MODEL", "bench MODEL --texts 1 --rounds 1"):
        with pytest.raises(SystemExit) as ended:
            main(words(line, folder, reviews))
        assert not ended.value.code
    picture = Figure()
    picture.subplots()
    picture.savefig(folder.parent / "foreign.png")
    picture.savefig(folder.parent / "foreign.svg")
    (folder.parent / "foreign.html").write_text("<!doctype html><p>leco</p>")
    (folder.parent / "foreign.json").write_text(json.dumps({"leco": "exit_scores, rounds"}))
    (folder.parent / "foreign.csv").write_text("criterion,settings\n1,2\n")
    (folder.parent / "foreign.onnx").write_bytes(b"\x08\x08\x12\x07pytorch" + bytes(99) + b"leco")
    return folder


def words(line, model, data, out=""):
    """The words of a command."""
    places = {"MODEL": model, "DATA": data, "OUT": out}
    return [re.sub("MODEL|DATA|OUT", lambda found: str(places[found.group()]), word) for word in line.split()]


FILES = [
    "model.safetensors",
    "config.json",
    "tokenizer.json",
    "README.md",
    "results.json",
    "evaluation.json",
    "curves.csv",
    "curves.png",
    "curve.png",
    "report.html",
    "model.onnx",
    "../foreign.html",
    "../foreign.onnx",
]


@pytest.mark.parametrize("command", ["report MODEL --output OUT", "export MODEL --output OUT"])
@pytest.mark.parametrize("name", FILES)
def test_one_file(leco, made, command, name):
    own = {"report": "report.html", "export": "model.onnx"}[command.split()[0]]
    path = made / name
    before = path.read_bytes()
    result = leco(*words(command, made, "", path))
    if name == own:
        assert result.code == 0, result.err
    else:
        assert (result.code, path.read_bytes()) == (2, before)
        assert f"--output '{path}' is something else than what would be written there" in result.err


FOLDERS = [
    (f"evaluate MODEL --data DATA {FAST} --output OUT", ["evaluation.json", "curves.csv", "curves.png", "curves.svg"]),
    ("report MODEL --data DATA --repeats 1 --timed-texts 1 --output OUT/r.html", ["r.html"]),
    (BENCH, ["bench.json", "bench.png", "model.onnx", "plain-fp32.onnx"]),
    ("reproduce table2 --output OUT", ["table2.md"]),
]


@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command, names in FOLDERS for name in names], ids=lambda value: value[:12]
)
def test_files_in_a_folder(leco, made, reviews, tmp_path, command, name):
    foreign = made.parent / f"foreign{Path(name).suffix}"
    if not foreign.exists():
        foreign.write_text("my own table")
    shutil.copy(foreign, tmp_path / name)
    result = leco(*words(command, made, reviews, tmp_path))
    assert result.code == 2
    assert name in result.err
    assert (tmp_path / name).read_bytes() == foreign.read_bytes()
    assert "error: " in result.err.splitlines()[-1]


def test_what_is_ours_is_renewed(leco, made, reviews):
    for line in (f"evaluate MODEL --data DATA {FAST} --output MODEL", "bench MODEL --texts 1 --rounds 1"):
        assert leco(*words(line, made, reviews)).code == 0


@pytest.mark.parametrize("command", ["report MODEL --output OUT", "export MODEL --output OUT"])
def test_what_is_no_ordinary_file(leco, made, tmp_path, command):
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "pipe", "no ordinary file"),
        (tmp_path, "is a folder"),
        ("/dev/null", "ordinary"),
    ):
        result = leco(*words(command, made, "", tmp_path / path))
        assert (result.code, message in result.err) == (2, True)
    (tmp_path / "empty").touch()
    assert leco(*words(command, made, "", tmp_path / "empty")).code == 0


def test_in_python(made, tmp_path):
    model = load_model(made)
    for name in ("model.onnx", "curves.csv"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(LecoError, match="is something else"):
        export_onnx(model, tmp_path / "model.onnx")
    with pytest.raises(LecoError, match="is something else"):
        save_evaluation(read_evaluation(made / "evaluation.json"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.csv", "model.onnx"]
    assert Session(made / "model.onnx").predict(["a film"])
