"""What a launcher of several processes (`torchrun`, `accelerate launch`) says of this one; without one it is alone."""

import os


def count() -> int:
    """How many processes there are."""
    return _number("WORLD_SIZE", 1)


def number() -> int:
    """The number of this process among them, from 0."""
    return _number("RANK", 0)


def is_first() -> bool:
    """Whether this is the process that writes and speaks for all."""
    return number() == 0


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else default
