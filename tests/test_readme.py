"""What the README tells people to type works."""

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import typer

from leco.cli import app

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
SHELL = [text for language, text in BLOCKS if language in ("bash", "sh", "console")]
PYTHON = [text for language, text in BLOCKS if language == "python"]


def commands(block):
    """The command lines of a block, each as words; of a pipe the part with ours, without redirections."""
    for line in block.replace("\\\n", " ").splitlines():
        for part in re.split(r"\||&&|;", line):
            words = shlex.split(part, comments=True)
            words = words[: next((at for at, word in enumerate(words) if word[0] in "<>"), None)]
            if words and words[0] in ("leco", "make"):
                yield words


LECO = [words[1:] for block in SHELL for words in commands(block) if words[0] == "leco"]
MAKE = [words[1:] for block in SHELL for words in commands(block) if words[0] == "make"]
OFFLINE = [block for block in SHELL if "# offline" in block]


@pytest.mark.parametrize("words", LECO, ids=" ".join)
def test_command_lines_are_understood(words):
    name, *arguments = words
    command = typer.main.get_command(app).commands[name]
    command.make_context(name, arguments)  # an unknown flag, a wrong value or a missing argument is an error


def test_an_unknown_flag_is_noticed():
    command = typer.main.get_command(app).commands["fit"]
    with pytest.raises(Exception, match="--colour"):
        command.make_context("fit", ["--model", "a", "--data", "b", "--output", "c", "--colour", "red"])


@pytest.mark.parametrize("words", MAKE, ids=" ".join)
def test_make_targets_exist(words):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {word for word in words if "=" not in word and word[0] != "-"} <= set(targets)


@pytest.mark.parametrize("block", PYTHON)
def test_python_compiles_and_its_imports_are_there(block):
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            for name in node.names:
                import_module(name.name)
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                assert hasattr(import_module(node.module), name.name)


@pytest.mark.slow
@pytest.mark.parametrize("block", OFFLINE)
def test_offline_blocks_run(block, leco, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in commands(block):
        if words[0] == "leco":
            assert leco(*words[1:]).code == 0, words
