"""Waits until somebody imports Transformers, and has it know multi-exit models from its first moment on.

What does that (`leco._registration`) costs a tenth of a second, which who answers by an exported file need not pay.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class Arrival:
    """A finder of modules that finds none, but notices the first that is looked for in Transformers."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: ModuleType | None = None) -> None:
        """Leave the module to the finders behind this one."""
        if name == "transformers":
            sys.meta_path.remove(cls)
            import_module("leco._registration")


if sys.modules.get("transformers"):
    import_module("leco._registration")
else:
    sys.meta_path.insert(0, Arrival)
