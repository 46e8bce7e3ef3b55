"""What docstrings say: their examples run, and those of public names tell what their reader has to know."""

import ast
import dataclasses
import doctest
import inspect
import re
import shutil
import textwrap
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
MODULES = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((SOURCE / "leco").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
FILES = re.compile(r'"(encoder|reviews-model|reviews\.csv)\b')
"""Of which examples find the first ones in their folder, as in the guides."""
ARRAYS = re.compile(r"\b(Tensor|NDArray|Array|ndarray)\b")
SHAPE = re.compile(r"\[\]|\[[A-Za-z.][^\]]*\]|scalar|of any shape|of the same shape")


@pytest.fixture(scope="session")
def named_files(tmp_path_factory, fitted, encoder_folder):
    """A folder with the encoder, the model that was made of it, the file of it, and three tables of texts."""
    from leco.export import export_onnx
    from leco.model import load_model
    from offline import rows, write_csv

    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(encoder_folder, folder / "encoder")
    shutil.copytree(fitted, folder / "reviews-model")
    export_onnx(load_model(fitted), folder / "reviews-model" / "model.onnx")
    for name, number, seed in (("reviews", 240, 0), ("new-reviews", 160, 1), ("newer-reviews", 120, 2)):
        write_csv(folder / f"{name}.csv", rows(number, seed))
    return folder


@pytest.fixture
def workplace(request, module, tmp_path, monkeypatch):
    """Where a module's examples run: a folder with the files that they name, if any."""
    monkeypatch.chdir(tmp_path)
    if FILES.search(Path(import_module(module).__file__).read_text(encoding="utf-8")):
        shutil.copytree(request.getfixturevalue("named_files"), tmp_path, dirs_exist_ok=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of libraries that a module imports
@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module, workplace):
    assert doctest.testmod(import_module(module)).failed == 0


def public():
    """Every class and function on the pages of the reference, once, by its name there."""
    from pages.python import MAIN, MODULES, public_names

    found = {}
    for module in MODULES:
        names = [name for names in MAIN.values() for name in names] if module == "leco" else public_names(module)
        for name in names:
            value = getattr(import_module(module), name)
            if (inspect.isclass(value) or inspect.isroutine(value)) and value.__module__.startswith("leco"):
                found.setdefault(value, f"{module}.{name}")
    return {name: value for value, name in found.items()}


def with_methods():
    """The public functions and classes, and the public methods and properties of the latter."""
    for name, value in public().items():
        yield name, value, [inspect.getdoc(value) or ""]
        for own, method in vars(value).items() if inspect.isclass(value) else ():
            function = getattr(method, "fget", None) or getattr(method, "__func__", method)
            if inspect.isfunction(function) and not own.startswith("_"):
                above = [inspect.getdoc(getattr(kind, own)) or "" for kind in value.__mro__ if hasattr(kind, own)]
                yield f"{name}.{own}", function, above


def parameters(value):
    """The names of what is given to a function or a class; a protocol is not made."""
    if getattr(value, "_is_protocol", False) or (inspect.isclass(value) and issubclass(value, Exception)):
        return []
    return [name for name in inspect.signature(value).parameters if name not in ("self", "cls")]


def described(kind):
    """The fields of a class that have words of their own: the help of a setting, or a docstring below the field."""
    found = {field.name for field in dataclasses.fields(kind) if "help" in field.metadata}
    for base in filter(dataclasses.is_dataclass, kind.__mro__):
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body
        found |= {
            field.target.id
            for field, words in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr)
        }
    return found


def raises(function):
    """Whether the function itself raises an error for users."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return any(getattr(call.func, "id", "") == "LecoError" for call in calls)


def takes_arrays(function):
    signature = inspect.signature(function)
    annotations = [*(one.annotation for one in signature.parameters.values()), signature.return_annotation]
    return any(ARRAYS.search(str(one)) for one in annotations)


def test_no_docstring_stands_below_another():
    """What is below the docstring of a value is about nothing."""
    twice = []
    for path in sorted((SOURCE / "leco").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            body = node.body if isinstance(getattr(node, "body", None), list) else []
            twice += [(path.name, below.lineno) for above, below in pairwise(body) if is_text(above) and is_text(below)]
    assert twice == []


def is_text(statement):
    """Whether a statement is nothing but a text."""
    return isinstance(statement, ast.Expr) and isinstance(getattr(statement.value, "value", None), str)


def test_every_public_name_says_what_it_is():
    pytest.importorskip("torch")
    assert [name for name, value, docs in with_methods() if not docs[0].strip()] == []


def test_what_is_given_is_named_or_shown():
    """A function's arguments, and what a class is made of, by name; an example shows them too."""
    pytest.importorskip("torch")
    lacking = []
    for name, value in public().items():
        doc = inspect.getdoc(value) or ""
        known = described(value) if dataclasses.is_dataclass(value) else ()
        absent = [one for one in parameters(value) if one not in known and not re.search(rf"\b{one}\b", doc)]
        if absent and ">>> " not in doc:
            lacking.append((name, absent))
    assert lacking == []


def test_errors_for_users_are_announced():
    pytest.importorskip("torch")
    assert [
        name
        for name, value, docs in with_methods()
        if not inspect.isclass(value) and raises(value) and "LecoError" not in docs[0]
    ] == []


def test_arrays_have_shapes():
    """Said of the function, or of the method that it takes the place of."""
    pytest.importorskip("torch")
    assert [
        name
        for name, value, docs in with_methods()
        if not inspect.isclass(value) and takes_arrays(value) and not any(map(SHAPE.search, docs))
    ] == []


def test_methods_have_source_and_example():
    """What comes from a paper names it, and shows itself."""
    pytest.importorskip("torch")
    from leco.calibration import RULES
    from leco.criteria import CRITERIA
    from leco.search.relaxations import RELAXATIONS
    from leco.training.strategies import STRATEGIES

    for table in (CRITERIA, STRATEGIES, RELAXATIONS):
        for name, kind in table.items():
            assert [part for part in ("Source: ", ">>> ") if part not in inspect.getdoc(kind)] == [], name
    assert [name for name, rule in RULES.items() if "Source: " not in inspect.getdoc(type(rule))] == []
