"""Arrays of a long computation, kept in a folder until all of it is done, so that it continues where it stopped."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.files import atomic_path

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Kept:
    """The arrays of one computation, under names, in a folder that holds those of no other.

    `key` is whatever makes the computation what it is: under another key nothing is found again. Without a folder
    nothing is kept.
    """

    folder: Path | None = None
    key: str = ""

    def arrays(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of that name: those that are there, or else those that are made, and kept whole or not at all."""
        if self.folder is None:
            return make()
        mark = hashlib.sha256(f"{self.key} {name}".encode()).hexdigest()[:16]
        path = self.folder / f"{mark}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as found:
                return dict(found)
        made = make()
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **made)
        return made

    def remove(self) -> None:
        """Remove the folder, once all is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def files_mark(*paths: Path) -> str:
    """What changes when one of the files does: names, sizes and times."""
    found = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file()]
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
