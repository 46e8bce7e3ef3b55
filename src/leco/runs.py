"""The output folder of a run: who owns it, and what in it is done already.

A folder belongs to the run whose settings its `run.json` holds. The same run continues there, whatever stopped it;
another one is refused, so that nothing is ever overwritten by accident.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import accelerate
import numpy
import torch
import transformers

from leco.data import TextData
from leco.errors import LecoError
from leco.files import read_json, write_json

SETTINGS = "run.json"


def versions() -> dict[str, str]:
    """The versions of this library and of those that its numbers depend on."""
    modules = (accelerate, numpy, torch, transformers)
    return {module.__name__: module.__version__ for module in modules}


def fingerprint(data: TextData) -> str:
    """A short hash of all texts and labels of a data set, and of their order."""
    digest = hashlib.sha256()
    for split in (data.train, data.dev, data.test):
        for text in split.texts:
            digest.update(repr(text).encode())
        digest.update(split.labels.tobytes())
    return digest.hexdigest()[:16]


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make `folder` this run's, or continue in it where it is already; LecoError where it holds something else."""
    path = folder / SETTINGS
    if not path.exists():
        if folder.exists() and (not folder.is_dir() or any(not p.name.startswith(".") for p in folder.iterdir())):
            raise LecoError(f"--output '{folder}' holds something else. Give a new folder.")
        write_json(path, {"settings": dict(settings), "versions": versions()})
        return
    before = read_json(path)["settings"]
    changed = [name for name in {**before, **settings} if before.get(name) != settings.get(name)]
    if changed:
        name = changed[0]
        raise LecoError(
            f"--output '{folder}' holds a run with other settings ({name}: {before.get(name)!r} there, "
            f"{settings.get(name)!r} now). Give a new folder, or repeat the command that began it."
        )


def flat(options: Any) -> dict[str, Any]:
    """Nested option dataclasses as one dictionary."""
    return {name: value for group in asdict(options).values() for name, value in group.items()}


def once(path: Path, make: Callable[[], Any]) -> Any:
    """The JSON value in `path`; where the file is not there yet, what `make` returns, which is then written to it."""
    if not path.exists():
        write_json(path, make())
    return read_json(path)
