"""Former names, kept for programs that use them."""

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def warn_of(old: str, new: str, stacklevel: int = 3) -> None:
    """The warning that a name has another one now."""
    warnings.warn(f"{old} is now {new}; the old name will go.", DeprecationWarning, stacklevel=stacklevel)


def renamed(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module whose `names` are elsewhere now, each with its module: "leco.criteria.Static"."""

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_of(f"{module}.{name}", names[name])
        place, _, current = names[name].rpartition(".")
        return getattr(import_module(place), current)

    return get
