"""Nothing but `leco.problems` decides by the kind of problem: all else asks the object.

Looked for are comparisons, patterns, keys and type checks with a name of a kind, and shapes that stand in for it.
"""

import ast
from pathlib import Path

import pytest

import leco
from leco import problems
from leco.problems import PROBLEMS

ROOT = Path(leco.__file__).parent
KINDS = {name for name in problems.__all__ if getattr(problems, name) in list(PROBLEMS)}
KINDS |= {type(problem).__name__ for problem in PROBLEMS.values()}
"""What stands for one kind in the code: the constants and the classes."""
SHAPES = {"num_outputs", "num_labels", "ndim"}
ASKING = {"get", "pop", "startswith", "endswith", "isinstance", "issubclass"}


def aliases(tree):
    """The names of a file that stand for a kind: as imported, and those that one is assigned to."""
    names = set(KINDS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.name in KINDS and alias.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and mentions(node.value, names):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def mentions(node, names):
    """Whether an expression has a kind in it."""
    return any(
        (isinstance(part, ast.Name) and part.id in names)
        or (isinstance(part, ast.Attribute) and part.attr in KINDS)
        or (isinstance(part, ast.Constant) and part.value in list(PROBLEMS))
        for part in ast.walk(node)
    )


def measures(node):
    """Whether an expression is a number of outputs or of dimensions, or the length of one dimension."""
    if isinstance(node, ast.Subscript):
        return getattr(node.value, "attr", None) == "shape"
    return getattr(node, "attr", getattr(node, "id", None)) in SHAPES


def is_guess(node):
    """Whether a comparison tells one output, or the number of dimensions of the labels, from others."""
    sides = [node.left, *node.comparators]
    constants = {side.value for side in sides if isinstance(side, ast.Constant)}
    return any(map(measures, sides)) and (bool(constants & {1, 2}) or all(map(measures, sides)))


def asked(node):
    """The parts of a node by which it decides."""
    match node:
        case ast.Compare():
            return [node]
        case ast.MatchValue() | ast.MatchClass():
            return [getattr(node, "value", getattr(node, "cls", None))]
        case ast.Dict():
            return [key for key in node.keys if key]
        case ast.Subscript() if getattr(node.value, "id", None) != "PROBLEMS":
            return [node.slice]
        case ast.Call() if getattr(node.func, "attr", getattr(node.func, "id", None)) in ASKING:
            return node.args
    return []


def decisions(text):
    """The lines of a program that decide by the kind of problem."""
    tree = ast.parse(text)
    names = aliases(tree)
    return [part.lineno for node in ast.walk(tree) for part in asked(node) if mentions(part, names)]


def guesses(text):
    """The lines of a program that tell kinds of problem by a shape."""
    return [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare) and is_guess(node)]


def found(look, folders=("",)):
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 5
    return {
        path.relative_to(ROOT).as_posix(): lines
        for path in files
        if path.parent != ROOT / "problems" and (lines := look(path.read_text(encoding="utf-8")))
    }


def test_no_other_file_compares_problem_names():
    assert found(decisions) == {}


def test_no_shape_stands_in_for_the_kind():
    """Two lines mean something else: COBEE compares one of two probabilities, and some of the weights are matrices."""
    lines = found(guesses, ["criteria", "evaluation", "export", "model", "report", "runtime"])
    assert {file: len(some) for file, some in lines.items()} == {
        "export/criteria/counting.py": 1,
        "export/traced.py": 1,
    }


IMPORT = "from leco.problems import MULTI_LABEL, REGRESSION as KIND, Regression\n"


@pytest.mark.parametrize(
    "line",
    [
        "task.problem_type == KIND",
        "task.problem_type in (SINGLE_LABEL, MULTI_LABEL)",
        "problems.REGRESSION != task.problem_type",
        "'regression' is task.problem_type",
        "{MULTI_LABEL: 1}[task.problem_type]",
        "table.get(KIND)",
        "table['single_label_classification']",
        "isinstance(task.problem, Regression)",
        "kinds = {KIND}\ntask.problem_type in kinds",
        "match task.problem_type:\n    case 'regression':\n        pass",
        "match task.problem:\n    case Regression():\n        pass",
    ],
)
def test_a_decision_is_found(line):
    assert decisions(IMPORT + line)


@pytest.mark.parametrize(
    "line", ["kind = MULTI_LABEL", "PROBLEMS[kind or MULTI_LABEL]", "types = frozenset({KIND})", "metric == 'accuracy'"]
)
def test_a_name_that_is_only_given_is_none(line):
    assert not decisions(IMPORT + line)


@pytest.mark.parametrize(
    "line", ["scores.shape[1] == 1", "before.shape[1] != scores.shape[1]", "labels.ndim == 2", "task.num_outputs == 1"]
)
def test_a_guess_is_found(line):
    assert guesses(line)
