"""The former name of `leco.reproduction`, kept for programs that import it."""

import warnings
from typing import Any

from leco import reproduction

RENAMED = {"Plan": "PaperTables"}


def __getattr__(name: str) -> Any:
    current = RENAMED.get(name, name)
    if current not in reproduction.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    message = f"leco.experiments.{name} is now leco.reproduction.{current}; the old name will go."
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return getattr(reproduction, current)
