"""The error that users see: what was wrong, where, and what to do about it."""

from collections.abc import Iterable
from difflib import get_close_matches
from textwrap import shorten


class LecoError(Exception):
    """A mistake that the user can repair. The command line prints its message and exits with code 2.

    The message says what was wrong (with the flag, column or file and the value found) and what to do.
    Everything else that is raised is a defect of this library.
    """


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
