"""Curves: what each criterion makes of a cell's model, speedups measured (the paper's Figure 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from leco.evaluation import align_labels, applicable_criteria, evaluate
from leco.model import load_model
from leco.reproduction.results_folder import ResultsFolder
from leco.reproduction.searches_and_cells import Cell


@dataclass(frozen=True)
class Curves(Cell):
    """The speedup-score curves of `criteria`, by comma or by default all, on the model of the cell of these settings.

    `task`, `model`, `preset`, `options`, `space`, `strategy`, `exits`, `seed` and `search_preset` are those of the
    `Cell`. Speedups are measured on `timed_texts` texts of test (None: all), `repeats` times.
    """

    results: ClassVar[Mapping[str, Any]] = {"evaluation": dict[str, Any]}

    criteria: str | None = None
    timed_texts: int | None = None
    repeats: int = 10

    @property
    def cell(self) -> Cell:
        """The cell whose model it looks at."""
        return Cell(**{field.name: getattr(self, field.name) for field in fields(Cell)})

    @property
    def name(self) -> str:
        """Its name."""
        texts = [] if self.timed_texts is None else [f"texts-{self.timed_texts}"]
        repeats = [] if self.repeats == type(self).repeats else [f"repeats-{self.repeats}"]
        return "_".join(["curves", super().name, self.criteria or "all", *texts, *repeats])

    @property
    def needs(self) -> Cell:
        """The cell, with its model."""
        return self.cell

    @property
    def timed(self) -> bool:
        """It measures speedups."""
        return True

    def run(self, folder: ResultsFolder, glue_dir: Path | None = None) -> dict[str, Any]:
        """Evaluate the cell's model with all settings of the criteria."""
        model = load_model(folder.model(self.cell), self.device)
        data = align_labels(self.data(glue_dir), model)
        names = self.criteria.split(",") if self.criteria else applicable_criteria(model)
        found = evaluate(model, data, repeats=self.repeats, timed_texts=self.timed_texts, criteria=names)
        return {"evaluation": found.to_dict()}
