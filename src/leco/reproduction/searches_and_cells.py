"""Searches and cells: a search finds exits for a task, a cell trains and scores one model."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leco.evaluation.evaluate import stored_outputs, tokens
from leco.evaluation.scores import Stored
from leco.files import atomic_path, read_json
from leco.job import LEARNED
from leco.model import load_model
from leco.pipeline import ARCHITECTURES, HISTORY, TRAINING, search, train
from leco.reproduction.experiment import MODEL, Experiment, plain

OUTPUTS = "outputs.npz"


@dataclass(frozen=True)
class Search(Experiment):
    """A search of exit architectures; it is run once for each task, as in the paper, whatever the training's seed."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"search_{super().name}_{self.space}"

    def run(self, root: Path, glue_dir: Path | None = None, *, keep: bool = False) -> None:
        """Search, and keep `architectures.json`, which is `leco train --exits FILE`'s, and the search's history."""
        folder = root / self.name / MODEL
        options = dict(self.options)
        search(self.model, self.task, folder, preset=self.preset, glue_dir=glue_dir, space=self.space, **options)
        (folder / ARCHITECTURES).replace(self.architectures(root))
        self.write(root, {"history": read_json(folder / HISTORY)})
        shutil.rmtree(folder)

    def architectures(self, root: Path) -> Path:
        """The file of what it found."""
        return root / self.name / ARCHITECTURES


@dataclass(frozen=True)
class Cell(Experiment):
    """One training: task, strategy, exits and seed.

    `exits` are those of `leco.train`, or `learned` for those that the search in `space` found; `search_preset` is the
    search's preset where that is not the training's.
    """

    strategy: str = "joint"
    exits: str = LEARNED
    seed: int = 0
    search_preset: str | None = None

    def __post_init__(self) -> None:
        if self.exits != LEARNED:  # nothing is searched
            object.__setattr__(self, "search_preset", None)

    @property
    def name(self) -> str:
        """The name of its folder."""
        exits = self.exits
        if exits == LEARNED:
            exits = "-".join(filter(None, (LEARNED, self.space, self.search_preset)))
        return "_".join([super().name, plain(self.strategy), plain(exits), f"seed{self.seed}"])

    @property
    def search(self) -> Search | None:
        """The search whose architectures it trains."""
        if self.exits != LEARNED:
            return None
        return Search(self.task, self.model, self.search_preset or self.preset, self.options, self.space)

    @property
    def needs(self) -> Experiment | None:
        """Its search."""
        return self.search

    def run(self, root: Path, glue_dir: Path | None = None, *, keep: bool = False) -> None:
        """Train and score; the outputs of all exits on dev and test stay in `outputs.npz`."""
        folder, options = root / self.name, dict(self.options)
        train(
            self.model,
            self.task,
            folder / MODEL,
            preset=self.preset,
            exits=self.exits if self.search is None else str(self.search.architectures(root)),
            glue_dir=glue_dir,
            seed=self.seed,
            strategy=self.strategy,
            **options,
        )
        model, log = load_model(folder / MODEL), read_json(folder / MODEL / TRAINING)
        data = self.data(glue_dir)
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
        self.write(root, result)
        if not keep:
            shutil.rmtree(folder / MODEL)


def _save_outputs(path: Path, stored: Mapping[str, Stored]) -> None:
    arrays: dict[str, Any] = {f"{name}_scores": value.scores for name, value in stored.items()}
    arrays |= {f"{name}_doubts": value.doubts for name, value in stored.items() if value.doubts is not None}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)
