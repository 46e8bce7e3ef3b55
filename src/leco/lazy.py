"""Names that are imported when they are first asked for, so that a package costs no more than what is used of it."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from leco.extras import needed


def lazily(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module, some of whose `names` are in other modules: {"fit": "leco.pipeline"}.

    It raises `leco.extras.MissingError` where a package is not installed that a name needs.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        with needed():
            return getattr(import_module(names[name]), name)

    return get
