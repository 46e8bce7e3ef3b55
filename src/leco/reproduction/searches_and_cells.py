"""Searches and cells: a search finds exits for a task, a cell trains and scores one model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from leco.criteria import Static
from leco.evaluation.evaluate import stored_outputs
from leco.evaluation.scores import Stored
from leco.evaluation.tokens import tokens
from leco.files import atomic_path, read_json, write_json
from leco.model import load_model
from leco.pipeline import ARCHITECTURES, HISTORY, search, train
from leco.presets import SEARCH, names_in
from leco.reproduction.experiment import Experiment, plain
from leco.reproduction.results_folder import ResultsFolder
from leco.settings import LEARNED
from leco.training.log import TRAINING

FULL_DEPTH = str(Static())
"""The criterion that a cell's model is left with: its scores are those of exits, so that none is chosen on dev."""

T = TypeVar("T")
ByExit = Annotated[list[T], Field(min_length=1)]
"""A value for each exit."""


@dataclass(frozen=True)
class Search(Experiment):
    """A search of exit architectures; it is run once for each task, as in the paper, whatever the training's seed.

    `task`, `model`, `preset`, `options` and `space` are those of any `Experiment`.
    """

    results: ClassVar[Mapping[str, Any]] = {"architectures": list[dict[str, Any]], "history": dict[str, Any]}

    @property
    def name(self) -> str:
        """Its name."""
        return f"search_{super().name}_{self.space}"

    def file(self, table: str) -> str:
        """That of all searches."""
        return "searches"

    def run(self, folder: ResultsFolder, glue_dir: Path | None = None) -> dict[str, Any]:
        """Search; the results are what `leco train --exits FILE` reads, and the search's history."""
        found, own = folder.model(self), names_in(*SEARCH)
        options = {name: value for name, value in self.options if name in own}  # others are its cells'
        search(self.model, self.task, found, preset=self.preset, glue_dir=glue_dir, space=self.space, **options)
        return {"architectures": read_json(found / ARCHITECTURES), "history": read_json(found / HISTORY)}


@dataclass(frozen=True)
class Cell(Experiment):
    """One training: task, strategy, exits and seed.

    `task`, `model`, `preset`, `options` and `space` are those of any `Experiment`, `strategy` and `seed` are settings
    of `leco.train`. `exits` are those of `leco.train`, or `learned` for those that the search in `space` found;
    `search_preset` is the search's preset where that is not the training's.
    """

    results: ClassVar[Mapping[str, Any]] = {
        "metric": str,
        "rows": dict[str, int],
        **dict.fromkeys(("dev", "test"), ByExit[float]),
        **dict.fromkeys(("avg", "best", "minutes", "cpu_minutes"), float),
        "exit_parameters": ByExit[int],
        "epochs": list[dict[str, Any]],
    }

    strategy: str = "joint"
    exits: str = LEARNED
    seed: int = 0
    search_preset: str | None = None

    def __post_init__(self) -> None:
        if self.exits != LEARNED:  # nothing is searched
            object.__setattr__(self, "search_preset", None)

    @property
    def name(self) -> str:
        """Its name."""
        exits = self.exits
        if exits == LEARNED:
            exits = "-".join(filter(None, (LEARNED, self.space, self.search_preset)))
        return "_".join([super().name, plain(self.strategy), plain(exits), f"seed{self.seed}"])

    @property
    def sources(self) -> dict[str, str]:
        """Those of any experiment, and the exits."""
        return {**super().sources, "exits": self.exits}

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

    def run(self, folder: ResultsFolder, glue_dir: Path | None = None) -> dict[str, Any]:
        """Train and score; the outputs of all exits on dev and test stay in the folder's `outputs`."""
        trained, exits = folder.model(self), self.exits
        if self.search is not None:
            exits = str(folder.working(self) / ARCHITECTURES)
            write_json(Path(exits), folder[self.search]["architectures"])
        train(
            self.model,
            self.task,
            trained,
            preset=self.preset,
            exits=exits,
            glue_dir=glue_dir,
            seed=self.seed,
            strategy=self.strategy,
            **{"criterion": FULL_DEPTH, **dict(self.options)},
        )
        model, log = load_model(trained, self.device), read_json(trained / TRAINING)
        data = self.data(glue_dir)
        stored = {
            name: stored_outputs(model, split, tokens(model, split), data.metric, name)
            for name, split in (("dev", data.dev), ("test", data.test))
        }
        scores = {name: outputs.by_exit() for name, outputs in stored.items()}
        _save_outputs(folder.outputs(self), stored)
        return {
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


def _save_outputs(path: Path, stored: Mapping[str, Stored]) -> None:
    arrays: dict[str, Any] = {f"{name}_scores": value.scores for name, value in stored.items()}
    for name, value in stored.items():
        arrays |= {f"{name}_{what}": array for what, array in value.observed.items()}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)
