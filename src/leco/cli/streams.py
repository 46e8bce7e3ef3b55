"""Standard input, output and errors, as whoever started the command left them."""

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from leco.errors import LecoError
from leco.launcher import count, is_first
from leco.tokens import half_character


def prepare_streams() -> None:
    """Escape what stdout's encoding lacks, and give closed streams the null device, so that no file of ours takes their
    place; LecoError where that is stdout. Of several processes the first alone has it.
    """
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    while closed and (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    for name in closed:
        setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: SIM115
    if "stdout" in closed:
        raise LecoError("Standard output is closed. Send it to a file, or to /dev/null.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if not is_first():
        drop_stdout()
    if count() > 1:  # PyTorch is not imported yet; its warning about parameters without a gradient is for developers
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def drop_stdout() -> None:
    """Let what stdout still keeps go nowhere when Python ends, which would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_arguments(arguments: Iterable[str]) -> None:
    """LecoError for bytes that are no text: names of files may be such, but nothing can be written about them."""
    for argument in arguments:
        if half_character(argument):
            raise LecoError(f"The argument '{argument}' is not UTF-8. Rename what it names.")
