"""The reference of the Python interface: a page for each module, with everything that the module offers."""

from collections.abc import Sequence
from importlib import import_module
from typing import TypeVar

from pages import GENERATED

MODULES = {
    "leco": "The main jobs, what loads a model, and what every model has.",
    "leco.criteria": "When a text leaves. Criteria are pure functions of what exits say; they need NumPy alone.",
    "leco.training.strategies": "How a model with exits is trained.",
    "leco.runtime": "What answers texts: predictors, the loop that exits early, ONNX Runtime. Never PyTorch.",
    "leco.calibration": "What early answers cost at most: losses, bounds, certificates, the monitor.",
    "leco.calibration.rules": "Which setting calibration texts allow.",
    "leco.evaluation": "Scores, the choice of a criterion's settings, measured speedups and curves.",
    "leco.model": "The model with exits, and the backbones it stands on.",
    "leco.model.backbones": "The families of encoders.",
    "leco.exits.architecture": "What an exit is made of, as data.",
    "leco.exits.space": "From which operations a search chooses.",
    "leco.search.relaxations": "How a search moves between architectures.",
    "leco.export": "A model as one file for ONNX Runtime.",
    "leco.export.criteria": "The rules of criteria as nodes of a graph.",
    "leco.problems": "What depends on the kind of problem.",
    "leco.data": "Data sets: reading, splitting, tokenizing, scoring.",
    "leco.options": "What a setting is.",
    "leco.registry": "Variants looked up by name.",
    "leco.preparation": "A run before it begins.",
    "leco.bulk": "Folders of texts, part by part.",
    "leco.serving": "A model over HTTP.",
    "leco.report": "A model on one HTML page.",
    "leco.bench": "Ways to answer texts, timed in turn.",
    "leco.reproduction": "The paper's tables and figure.",
    "leco.spark": "Answers for rows that Spark has.",
}
"""The documented modules, and what each is for."""

MAIN = {
    "Jobs": ("fit", "train", "evaluate", "calibrate", "verify"),
    "Predictors": ("load", "PredictorSpec", "Predictor", "Answer", "MultiExitModel"),
    "What a model is made of": ("LecoConfig", "Architecture", "Criterion"),
    "Errors": ("LecoError",),
}
"""The names of `leco` itself, by what they are for; its criteria are on the page of their module."""


def page(module: str) -> str:
    """A module's page in Markdown, on which mkdocstrings fills in each name."""
    if module == "leco":
        sections = [f"## {title}\n\n{entries('leco', names, 3)}" for title, names in MAIN.items()]
        sections.append("All criteria are names of `leco`, too: see [leco.criteria](leco.criteria.md).")
    else:
        sections = [entries(module, public_names(module), 2)]
    return "\n\n".join([GENERATED, f"# {module}", MODULES[module], *sections]) + "\n"


def public_names(module: str) -> list[str]:
    """What a module offers: its `__all__`, or else what is defined in it under a public name."""
    found = import_module(module)
    own = [
        name
        for name, value in vars(found).items()
        if not isinstance(value, TypeVar)
        and (getattr(value, "__module__", None) == module or name in vars(found).get("__annotations__", {}))
    ]
    return [name for name in getattr(found, "__all__", own) if not name.startswith("_")]


def entries(module: str, names: Sequence[str], level: int) -> str:
    """A directive of mkdocstrings for each name."""
    return "\n\n".join(f"::: {module}.{name}\n    options:\n      heading_level: {level}" for name in names)
