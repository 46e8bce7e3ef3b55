"""A cell of an experiment: one model, trained and scored in a folder of its own."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leco.data import load_data
from leco.evaluation.evaluate import stored_outputs, tokens
from leco.evaluation.scores import Stored
from leco.files import atomic_path, read_json, write_json
from leco.job import LEARNED
from leco.model import load_model
from leco.model.pretrained import DEMO_BACKBONE
from leco.pipeline import ARCHITECTURES, HISTORY, TRAINING, search, train
from leco.runs import machine, versions

RESULT, OUTPUTS, MODEL = "cell.json", "outputs.npz", "model"


@dataclass(frozen=True)
class Work:
    """A part of an experiment, with a folder of its own.

    `options` are those of `leco.search` and `leco.train` in place of the preset's, as pairs of name and value; `space`
    is the space in which exits are searched.
    """

    task: str
    model: str = DEMO_BACKBONE
    preset: str = "quick"
    options: tuple[tuple[str, Any], ...] = ()
    space: str = "O"

    @property
    def name(self) -> str:
        """The name of its folder, in which whatever it is made of is told apart."""
        options = (name if value is True else f"{name}-{value}" for name, value in sorted(self.options))
        return "_".join(map(_plain, (self.task, self.model, self.preset, *options)))

    @property
    def settings(self) -> dict[str, Any]:
        """What defines it, as JSON keeps it; `from_settings` reads it."""
        return {**asdict(self), "options": dict(self.options)}


@dataclass(frozen=True)
class Search(Work):
    """A search of exit architectures; it is run once for each task, as in the paper, whatever the training's seed."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"search_{super().name}_{self.space}"


@dataclass(frozen=True)
class Cell(Work):
    """One training: task, strategy, exits and seed.

    `exits` are those of `leco.train`, or `learned` for those that the search in `space` found.
    """

    strategy: str = "joint"
    exits: str = LEARNED
    seed: int = 0

    @property
    def name(self) -> str:
        """The name of its folder."""
        exits = f"{LEARNED}-{self.space}" if self.exits == LEARNED else self.exits
        return "_".join([super().name, _plain(self.strategy), _plain(exits), f"seed{self.seed}"])

    @property
    def search(self) -> Search | None:
        """The search whose architectures it trains."""
        if self.exits != LEARNED:
            return None
        return Search(self.task, self.model, self.preset, self.options, self.space)


def from_settings(kind: str, settings: Mapping[str, Any]) -> Cell | Search:
    """The cell or search that `settings` describe."""
    given = {**settings, "options": tuple(settings["options"].items())}
    return Search(**given) if kind == Search.__name__ else Cell(**given)


def finished(work: Work, root: Path) -> bool:
    """Whether its result is in its folder under `root`."""
    return (root / work.name / RESULT).is_file()


def read_result(work: Work, root: Path) -> dict[str, Any]:
    """What `run_cell` or `run_search` wrote; LecoError where it has not been run."""
    return dict(read_json(root / work.name / RESULT))


def run_search(work: Search, root: Path, glue_dir: Path | None = None) -> None:
    """Search, or continue, in the folder of `work`, unless its result is there."""
    if finished(work, root):
        return
    folder = root / work.name
    found = search(
        work.model,
        work.task,
        folder / MODEL,
        preset=work.preset,
        glue_dir=glue_dir,
        space=work.space,
        **dict(work.options),
    )
    history = read_json(folder / MODEL / HISTORY)
    result = {"architectures": [architecture.to_dict() for architecture in found], "history": history}
    _write(work, folder, result)
    shutil.rmtree(folder / MODEL)


def run_cell(cell: Cell, root: Path, glue_dir: Path | None = None, *, keep: bool = False) -> None:
    """Train and score, or continue, in the folder of `cell`, unless its result is there.

    The outputs of all exits on dev and test stay in `outputs.npz`, the model only with `keep`. The architectures of a
    learned cell must have been searched. LecoError for anything that the user can repair.
    """
    if finished(cell, root):
        return
    folder, work = root / cell.name, cell.search
    exits, options = cell.exits, dict(cell.options)
    if work is not None:
        path = folder / ARCHITECTURES
        write_json(path, read_result(work, root)["architectures"])
        exits = str(path)
    train(
        cell.model,
        cell.task,
        folder / MODEL,
        preset=cell.preset,
        exits=exits,
        glue_dir=glue_dir,
        seed=cell.seed,
        strategy=cell.strategy,
        **options,
    )
    model, log = load_model(folder / MODEL), read_json(folder / MODEL / TRAINING)
    data = load_data(cell.task, glue_dir=glue_dir, train_rows=options.get("train_rows"))
    stored = {
        name: stored_outputs(model, split, tokens(model, split), data.metric, name)
        for name, split in (("dev", data.dev), ("test", data.test))
    }
    scores = {name: outputs.by_exit() for name, outputs in stored.items()}
    _save_outputs(folder / OUTPUTS, stored)
    result = {
        "metric": data.metric,
        "rows": {"train": len(data.train), "dev": len(data.dev), "test": len(data.test)},
        "dev": scores["dev"],
        "test": scores["test"],
        "avg": float(np.mean(scores["test"])),
        "best": max(scores["test"]),
        "exit_parameters": model.exit_parameters,
        "minutes": log["seconds"] / 60,
        "cpu_minutes": log["cpu_seconds"] / 60,
        "epochs": log["epochs"],
    }
    _write(cell, folder, result)
    if not keep:
        shutil.rmtree(folder / MODEL)


def _write(work: Work, folder: Path, result: Mapping[str, Any]) -> None:
    settings = {"kind": type(work).__name__, "settings": work.settings}
    write_json(folder / RESULT, {**settings, **result, "versions": versions(), "machine": machine()})


def _save_outputs(path: Path, stored: Mapping[str, Stored]) -> None:
    arrays: dict[str, Any] = {f"{name}_scores": value.scores for name, value in stored.items()}
    arrays |= {f"{name}_doubts": value.doubts for name, value in stored.items() if value.doubts is not None}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def _plain(name: str) -> str:
    """A name as part of a folder's name."""
    return name.rsplit("/", 1)[-1].replace(":", "-").replace("=", "-").replace(",", "-").lower()
