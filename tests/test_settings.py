"""One way for settings: groups of options make signatures, flags and checks; no function takes many parameters."""

import ast
import inspect
import re
from pathlib import Path

import pytest
import typer

import leco
from leco import pipeline
from leco.cli import app
from leco.cli.flags import flags
from leco.cli.parameters import flag_of
from leco.criteria import CRITERIA
from leco.options import setting_names, settings_of
from leco.presets import DEFAULT_PRESET, DEFAULTS, FIT, SEARCH, TRAIN, build_options
from leco.search.relaxations import RELAXATIONS
from leco.training.strategies import STRATEGIES

SOURCE = Path(leco.__file__).parent
COMMANDS = typer.main.get_command(app).commands
TAKES = {"fit": FIT, "train": TRAIN, "search": SEARCH}
MOST = 6
"""Parameters of a function; what has more takes a group of them."""
MORE = {
    "cli/bench.py": "each parameter of a command is a flag or an argument",
    "cli/evaluate.py": "the same",
    "cli/export.py": "the same",
    "cli/predict.py": "the same",
}
COMMAND_LINE = re.compile(r"leco \w+ .*?--|pip install ")
"""Where a message of the library shows a whole command line, whose flags are none of its own parameters."""


def functions(path):
    """The functions in a file, and those of their parameters that are counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            yield node.name, [name for name in given if name not in ("self", "cls")]


def test_functions_with_many_parameters_take_a_group():
    many = {
        (str(path.relative_to(SOURCE)), name, len(given))
        for path in SOURCE.rglob("*.py")
        for name, given in functions(path)
        if len(given) > MOST
    }
    assert {place for place, _, _ in many} == set(MORE), f"more than {MOST} parameters, or no longer: {sorted(many)}"


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_library_speaks_of_parameters_and_the_command_line_of_flags(path):
    if path.parent.name == "cli":
        return
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in texts if re.search(r"(^|[^-\w])--[a-z]", text) and not COMMAND_LINE.search(text)]


@pytest.mark.parametrize("name", TAKES)
def test_signature_docs_and_flags_are_those_of_the_groups(name):
    function, groups = getattr(pipeline, name), build_options(DEFAULT_PRESET, {}).groups(TAKES[name])
    settings = {setting: getattr(group, setting) for group in groups for setting in setting_names(group)}
    shown = inspect.signature(function).parameters
    assert {one: shown[one].default for one in settings} == settings
    assert all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in shown.values())
    for group in groups:
        for setting, (field, _) in settings_of(group).items():
            assert f"    {setting}: {field.metadata['help']}" in function.__doc__
    own = {parameter.name: parameter.opts[0] for parameter in COMMANDS[name].params}
    training = set(setting_names(DEFAULTS.training)) if name == "search" else set()  # it trains nothing
    assert {one: own[one] for one in own if one in settings} == {one: flag_of(one) for one in set(settings) - training}


def test_a_parameter_is_shown_as_its_flag_and_other_names_as_they_are():
    shown = flags(app)
    names = ["max_drop", "text_columns", "bf16", "folder", "table", "tau", "records"]
    assert [shown(name) for name in names] == [
        "--max-drop",
        "--text-column",
        "--bf16",
        "DIR",
        "TABLE",
        "tau",
        "--import",
    ]


@pytest.mark.parametrize("variants", [CRITERIA, STRATEGIES, RELAXATIONS], ids=lambda one: one.kind)
def test_no_setting_of_a_variant_is_called_like_a_flag(variants):
    shown = flags(app)
    assert not [name for one in variants.values() for name in setting_names(one) if shown(name) != name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("evaluate MODEL --data DATA --max-drop 2", "--max-drop must be at most 1, not 2.0."),
        ("evaluate MODEL --data DATA --criterion entropy:tau=-1", "--criterion: tau must be at least 0, not -1."),
        ("report MODEL --data DATA --repeats 0", "--repeats must be at least 1, not 0."),
        ("export MODEL --int8 --max-drop nan", "--max-drop must be a number, not nan."),
        ("evaluate MODEL --data glue/rte --text-column a", "leave out --text-column and --label-column."),
        ("reproduce table2 --device cuda:99", "--device: The device 'cuda:99' is not there"),
        ("reproduce table2 --jobs 0", "--jobs must be at least 1, not 0."),
        ("reproduce table9", "TABLE: Unknown table 'table9'."),
    ],
)
def test_the_command_line_names_flags(leco, fitted, reviews, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    words = {"MODEL": fitted, "DATA": reviews}
    result = leco(*(words.get(word, word) for word in arguments.split()))
    assert (result.code, result.out) == (2, "")
    assert message in result.err
