"""The error that users see: what was wrong, where, and what to do about it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from textwrap import shorten


class LecoError(Exception):
    """A mistake that the user can repair. The command line prints its message and exits with code 2.

    The message says what was wrong (with the parameter, column or file and the value found) and what to do.
    Everything else that is raised is a defect of this library.
    """


_shown: ContextVar[Callable[[str], str]] = ContextVar("shown", default=str)


def parameter(name: str) -> str:
    """A parameter in a message: its name in Python, or what `parameters_shown` makes of it.

    >>> f"Give a lower {parameter('exit_lr')}."
    'Give a lower exit_lr.'
    """
    return _shown.get()(name)


@contextmanager
def parameters_shown(shown: Callable[[str], str]) -> Iterator[None]:
    """A block in whose messages each parameter is written as `shown(name)`: on the command line as its flag."""
    before = _shown.set(shown)
    try:
        yield
    finally:
        _shown.reset(before)


def first_line(error: BaseException) -> str:
    """What an error of a library says, as a part of one of our sentences: its first line, or else its name."""
    line = shorten(str(error).strip().partition("\n")[0], 160) or type(error).__name__
    return line.rstrip(":.")


def unknown_name(what: str, name: object, known: Iterable[str]) -> LecoError:
    """The error for a name that is in no registry: it lists the known ones and the nearest of them."""
    names = sorted(known)
    near = get_close_matches(str(name), names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return LecoError(f"Unknown {what} '{name}'.{hint} Known: {', '.join(names)}.")
