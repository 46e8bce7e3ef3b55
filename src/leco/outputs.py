"""Files for people and other programs, which never take the place of what they are not.

Each kind has a mark near its beginning, or its end, by which it is known again.
"""

from collections.abc import Mapping
from pathlib import Path

from leco.errors import LecoError, parameter

HEAD = 2**16
"""Bytes at one end of a file in which its mark must be."""


def check_output(path: Path, mark: bytes, name: str = "output", *, at_end: bool = False) -> None:
    """LecoError unless `path` is free, an empty file, or a file of the kind that has `mark` in it.

    `name` is what named the file, or its folder. The mark is near the beginning, or `at_end`.
    """
    if path.is_dir():
        raise LecoError(f"{parameter(name)} '{path}' is a folder. Give a file.")
    if not path.exists():
        return
    if not path.is_file():
        raise LecoError(f"{parameter(name)} '{path}' is no ordinary file, which would be lost. Give another name.")
    with path.open("rb") as file:
        if at_end:
            file.seek(max(path.stat().st_size - HEAD, 0))
        part = file.read(HEAD)
    if part and mark not in part:
        raise LecoError(
            f"{parameter(name)} '{path}' is something else than what would be written there, and would be lost. "
            "Give another name, or remove it."
        )


def check_outputs(folder: Path, marks: Mapping[str, bytes], name: str = "output") -> None:
    """`check_output` of each of the files with these names in `folder`."""
    for file, mark in marks.items():
        check_output(folder / file, mark, name)
