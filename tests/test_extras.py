"""What an installation without an extra can do, and what it says of the rest."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from leco.extras import EXTRAS, MissingError, needed

ROOT = Path(__file__).parents[1]
SAVED = ROOT / "tests" / "saved" / "0.1"
WITHOUT_TORCH = EXTRAS["train"] + EXTRAS["tables"] + EXTRAS["onnx"]
NAMES = {"sklearn": "scikit-learn", "prometheus_client": "prometheus-client"}
"""Packages that are installed under another name."""


WITHOUT = """
import sys
class Missing:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing)
"""
"""The begin of a script in whose process some packages are not installed."""


def run(missing, *arguments, text=""):
    """The command where some packages are not installed."""
    script = WITHOUT.format(missing=missing) + f"from leco.cli import main; main({arguments!r})"
    return subprocess.run([sys.executable, "-c", script], input=text, capture_output=True, text=True, check=False)


def test_a_file_answers_without_what_trains():
    said = run(WITHOUT_TORCH, "predict", str(SAVED / "model.onnx"), text="a good film\na bad film\n")
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("exit_layer") == 2


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".txt"])
def test_so_do_files_of_texts_that_need_no_tables(tmp_path, suffix):
    lines = {".csv": "text\na film\n", ".jsonl": '{"text": "a film"}\n', ".txt": "a film\n"}
    (tmp_path / f"texts{suffix}").write_text(lines[suffix])
    for output in ("answers.csv", "answers.jsonl"):
        command = ("predict", str(SAVED / "model.onnx"), str(tmp_path / f"texts{suffix}"))
        said = run(WITHOUT_TORCH, *command, "--output", str(tmp_path / output))
        assert said.returncode == 0, said.stderr
        assert "a film" in (tmp_path / output).read_text()


def test_every_help_is_there():
    for command in ((), ("fit",), ("serve",), ("export",), ("reproduce",)):
        assert run(WITHOUT_TORCH, *command, "--help").returncode == 0


@pytest.mark.parametrize(
    ("missing", "extra", "command"),
    [
        (("torch",), "train", ["predict", str(SAVED / "model")]),
        (("torch",), "train", ["fit", "--model", "m", "--data", "d.csv", "--output", "o"]),
        (("torch",), "train", ["export", str(SAVED / "model")]),
        (("pyarrow",), "tables", ["predict", str(SAVED / "model.onnx"), "--output", "a.parquet"]),
        (("onnxruntime",), "runtime", ["predict", str(SAVED / "model.onnx")]),
        (("onnx",), "onnx", ["export", str(SAVED / "model")]),
        (("fastapi",), "serve", ["serve", str(SAVED / "model.onnx")]),
    ],
)
def test_what_is_missing_is_said_with_its_extra(tmp_path, missing, extra, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = run(missing, *command, text="a film\n")
    assert said.returncode == 2
    assert f"pip install 'leco[{extra}]'" in said.stderr.replace("\n", " ")
    assert "Traceback" not in said.stderr
    assert not list(tmp_path.iterdir())


def test_in_python_it_is_an_import_error_too():
    script = WITHOUT.format(missing=("torch",)) + "import leco; leco.fit"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "MissingError: This needs the package 'torch'" in said.stderr
    with pytest.raises(ImportError), needed():
        raise ModuleNotFoundError(name="torch.nn")
    with pytest.raises(ModuleNotFoundError, match="mine"), needed():
        raise ModuleNotFoundError("mine", name="mine")
    assert issubclass(MissingError, ImportError)


@pytest.mark.parametrize(
    "asked",
    [
        "from leco.serving import ray_app; ray_app('model')",
        "from leco.reproduction.ray_engine import RayEngine; RayEngine()",
    ],
    ids=["serving", "grids"],
)
def test_a_cluster_needs_ray(asked):
    script = WITHOUT.format(missing=("ray",)) + asked
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "MissingError: This needs the package 'ray'" in said.stderr
    assert "pip install 'leco[ray]'" in said.stderr


def dependencies(text):
    return {re.split(r"[\[<>=;~! ]", one)[0] for one in re.findall(r'"([^"]+)"', text)}


def test_the_extras_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra, packages in EXTRAS.items():
        (listed,) = re.findall(rf"^{extra} = \[(.*?)\]$", project, re.M | re.S)
        names = {NAMES.get(package, package) for package in packages} - {"starlette"}  # which FastAPI brings
        assert names <= dependencies(listed), extra


def test_every_package_that_is_imported_is_somewhere():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (always,) = re.findall(r"^dependencies = \[(.*?)\]$", project, re.M | re.S)
    known = {*dependencies(always), *sys.stdlib_module_names, "leco"}
    known |= {package for packages in EXTRAS.values() for package in packages}
    known |= {"markupsafe", "h11", "click", "huggingface_hub", "google"}
    """What comes with Jinja2, uvicorn, typer, Transformers and ONNX (Protocol Buffers)."""
    imported = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").partition(".")[0])
    assert imported <= known
