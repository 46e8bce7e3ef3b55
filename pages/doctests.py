"""An extension of Griffe: examples in docstrings are code, where Markdown would take `>>>` for a quotation."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1(?=.*\S).*)*", re.M)
"""From a prompt to the next blank line, or to what is less indented."""


def fenced(docstring: str) -> str:
    """A docstring with its examples as blocks of code."""
    return EXAMPLE.sub(lambda found: f"{found[1]}```pycon\n{found[0]}\n{found[1]}```", docstring)


class Doctests(griffe.Extension):
    """Puts the examples of all docstrings between fences."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change an object's docstring, once it is read."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
