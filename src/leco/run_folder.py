"""The output folder of a run: who owns it, and what in it is done already.

A folder belongs to the run whose settings its `run.json` holds. The same run continues there, whatever stopped it;
another one is refused, so that nothing is ever overwritten by accident.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leco.data import TextData
from leco.data.types import CALIBRATION
from leco.environment import versions
from leco.errors import LecoError, parameter
from leco.evaluation.pruning import PRUNING, Pruning
from leco.files import read_json, write_json
from leco.folders import writing
from leco.launcher import number
from leco.processes import alike, on_first
from leco.provenance import Provenance
from leco.shapes import checked
from leco.training.log import TRAINING, TrainingLog

SETTINGS = "run.json"
DATA_HASH, BEHIND = "data_hash", "+"
"""A setting of a run, and what stands in it before the fingerprint of calibration rows."""


def fingerprint(data: TextData) -> str:
    """A short hash of all texts and labels of a data set, and of their order; that of calibration rows is behind it."""
    parts = "".join(split.fingerprint for split in (data.train, data.dev, data.test))
    mark = hashlib.sha256(parts.encode()).hexdigest()[:16]
    return mark if data.calibration is None else f"{mark}{BEHIND}{data.calibration.fingerprint}"


def check_folder(folder: Path) -> None:
    """LecoError unless `folder` is free (it is not there, or has nothing but hidden files) or a run's."""
    with writing(folder):
        try:
            if run_settings(folder) is not None:
                return
            foreign = folder.exists() and (not folder.is_dir() or any(not _hidden(path) for path in folder.iterdir()))
        except LecoError:
            foreign = True
    if foreign:
        raise LecoError(f"{parameter('output')} '{folder}' holds something else. Give a new folder.")


def run_settings(folder: Path) -> dict[str, Any] | None:
    """The settings of the run in `folder`; None where there is none, LecoError where they are broken."""
    path = folder / SETTINGS
    if not path.is_file():
        return None
    return checked(dict[str, dict[str, Any]], read_json(path), f"'{path}'").get("settings")


def claim(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make `folder` this run's, or continue in it where it is already, be it for more epochs of a finished training.

    LecoError where it holds something else, or what another run has done, or cannot be written to.
    """
    check_folder(folder)
    before = run_settings(folder)
    settings = json.loads(json.dumps(settings))  # as they are when read
    if before is not None:
        off = {name: None if value else value for name, value in settings.items()}
        before = {**off, **before}  # what a former version did not know was off
        if _has_former_hash(folder, before, settings):
            before[DATA_HASH] = settings[DATA_HASH]
    if before == settings:
        return
    if before is not None and _has_results(folder) and not _is_continued(folder, before, settings):
        name = next(name for name in {**before, **settings} if before.get(name) != settings.get(name))
        raise LecoError(
            f"{parameter('output')} '{folder}' holds a run with other settings ({name}: {before.get(name)!r} there, "
            f"{settings.get(name)!r} now). Give a new folder, or repeat the command that began it."
        )
    if (folder / PRUNING).is_file() and Pruning.load(folder / PRUNING).drops:
        raise LecoError(
            f"{parameter('epochs')}: the run in '{folder}' has dropped exits and cannot go on with more epochs. Give a "
            "new folder."
        )
    with writing(folder):
        write_json(folder / SETTINGS, {"settings": settings, "versions": versions()})


def claim_for_all(folder: Path, settings: Mapping[str, Any]) -> None:
    """Have the first of several processes `claim` the folder; LecoError where another sees other data or files."""

    def claimed() -> Mapping[str, Any]:
        claim(folder, settings)
        return settings

    common = on_first(claimed)
    with alike():
        if common != settings or not (folder / SETTINGS).is_file():
            raise LecoError(
                f"Process {number()} reads other data than the first, or does not see its folder '{folder}'. Give "
                f"{parameter('data')} and {parameter('output')} that are the same to all."
            )


def _has_former_hash(folder: Path, before: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether the run in `folder` is one on these data of a version whose hash left the calibration rows out.

    The model says whether its data had such rows; where there is no model yet, none have been used.
    """
    mark, behind, rows = str(settings.get(DATA_HASH)).partition(BEHIND)
    if not behind or before.get(DATA_HASH) != mark:
        return False
    path = folder / "config.json"
    if not path.is_file():
        return True
    kept = Provenance.from_dict(checked(dict[str, Any], read_json(path), f"'{path}'").get("trained_on"))
    return kept is not None and (kept.calibration > 0 or kept.hashes.get(CALIBRATION) == rows)


def _is_continued(folder: Path, before: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether the settings are those of the training that is finished in `folder`, but for more epochs."""
    epochs, more = before.get("epochs"), settings.get("epochs")
    if not (isinstance(epochs, int) and isinstance(more, int) and epochs < more and (folder / TRAINING).is_file()):
        return False
    return {**before, "epochs": more} == settings and TrainingLog.load(folder / TRAINING).planned == epochs


def _has_results(folder: Path) -> bool:
    """Whether a run has left more in its folder than its settings."""
    files = (path for path in folder.rglob("*") if path.is_file() and not _hidden(path))
    return any(path != folder / SETTINGS for path in files)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def trained_on(folder: Path) -> str:
    """The data set on which the model in `folder` was trained; LecoError where the folder does not say."""
    data = (run_settings(folder) or {}).get("data")
    if not isinstance(data, str):
        raise LecoError(f"'{folder}' does not say on what it was trained. Give {parameter('data')}.")
    return data
