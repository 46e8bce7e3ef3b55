"""What `leco reproduce` does: which cells a table needs, running them, and writing the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from leco.errors import LecoError, parameter, unknown_name
from leco.model.pretrained import DEMO_BACKBONE
from leco.options import naming
from leco.preparation.methods import parse_methods
from leco.presets import PRESETS, build_options, names_in
from leco.reproduction.engines import Engine
from leco.reproduction.experiment import Experiment
from leco.reproduction.figure2 import FIGURE_2, Figure, write_figure
from leco.reproduction.grids import GRIDS, LECO, Grid, base_cell, check_tasks, on_task
from leco.reproduction.results_folder import ResultsFolder
from leco.reproduction.scheduler import run_all, with_needs
from leco.reproduction.searches_and_cells import Cell
from leco.reproduction.table6 import TABLE_6, write_table_6
from leco.reproduction.tables import write_table
from leco.settings import LEARNED

ALL = "all"
TABLES = (*GRIDS, TABLE_6, FIGURE_2, ALL)
OF_CELLS = {"seed", "strategy", "space", "train_rows"}
"""Options in which the cells of a table differ."""
SHARED = {"exit_layers", *names_in("run", "training", "search")} - OF_CELLS
"""Options that all of its cells may have."""


@dataclass(frozen=True)
class PaperTables:
    """The cells of one of the paper's tables, of its Figure 2 or of all, in the folder `root`.

    Args:
        table: table2 to table6, figure2, or all.
        root: the folder for tables, figures and records (`ResultsFolder`).
        tasks: names of GLUE's tasks.
        seeds: each cell is run with the seeds from 0 to this less 1; the search once for each task. Figure 2 shows
            the models of seed 0.
        only: keeps the cells that have this, or one of several parts by comma, in their names.
        model: the encoder of all cells.
        preset: the named options of all cells.
        options: what all cells have in their place: options of `leco.train` on the exits' layers, the run, the
            training and the search, but for those in which cells differ.
        search_preset: the searches' preset; by default the same.
        train_rows: for some tasks, on a sample of how many rows their cells train.
        timed_texts: on how many test texts Figure 2 measures speedups; None is all.

    Raises:
        LecoError: for an unknown table, task, preset or option, and where `only` leaves no cell.

    """

    table: str
    root: Path
    tasks: Sequence[str]
    seeds: int = 5
    only: str | None = None
    model: str = DEMO_BACKBONE
    preset: str = "paper"
    options: Mapping[str, Any] = field(default_factory=dict)
    search_preset: str | None = None
    train_rows: Mapping[str, int] = field(default_factory=dict)
    timed_texts: int | None = None

    def __post_init__(self) -> None:
        with naming("table"):
            if self.table not in TABLES:
                raise unknown_name("table", self.table, TABLES)
        check_tasks(self.tasks)
        self._check_options()
        if self.only is not None:
            names = [one.name for one in replace(self, only=None).experiments]
            if missing := [part for part in self._parts if not part or not any(part in name for name in names)]:
                raise LecoError(f"{parameter('only')}: '{missing[0]}' is in no cell's name, such as {names[0]}.")

    def _check_options(self) -> None:
        """LecoError for options that no cell takes or the tables set, and for what they name that there is not."""
        for name in self.options:
            if name not in SHARED:
                known = ", ".join(sorted(SHARED))
                raise LecoError(f"{parameter('options')}: '{name}' is none that all cells may share: {known}.")
        if self.search_preset is not None:
            with naming("search_preset"):
                PRESETS[self.search_preset]
        for preset in (self.preset, self.search_preset or self.preset):
            parse_methods(build_options(preset, self.options))

    @property
    def folder(self) -> ResultsFolder:
        """Where the records are."""
        return ResultsFolder(self.root)

    @property
    def base(self) -> Cell:
        """What all cells have in common."""
        search_preset = None if self.search_preset == self.preset else self.search_preset
        return replace(base_cell(self.model, self.preset, self.options), search_preset=search_preset)

    @property
    def made(self) -> str:
        """By which settings, as the tables say it: only those of the preset `paper` are the paper's."""
        searches = f", searches by {self.search_preset}" if self.base.search_preset else ""
        rows = [f"{task} with {rows:,} training rows" for task, rows in self.train_rows.items() if task in self.tasks]
        return "; ".join([f"{Path(self.model).name} by the preset {self.preset}{searches}", *rows]) + "."

    @property
    def grids(self) -> list[Grid]:
        """The grids of cells; Table 6 shows what the searches of Table 2 found."""
        if self.table == FIGURE_2:
            return []
        names = list(GRIDS) if self.table == ALL else ["table2" if self.table == TABLE_6 else self.table]
        return [replace(GRIDS[name](self.base), train_rows=self.train_rows) for name in names]

    @property
    def figures(self) -> list[Figure]:
        """Figure 2, for each task."""
        if self.table not in (FIGURE_2, ALL):
            return []
        return [Figure.of(task, on_task(self.base, task, self.train_rows), self.timed_texts) for task in self.tasks]

    @property
    def experiments(self) -> dict[Experiment, str]:
        """All cells and curves that are wanted, without the searches that they need; each with its first table."""
        found: dict[Experiment, str] = {}
        for grid in self.grids:
            for cell in grid.cells(self.tasks, self.seeds):
                if self.table != TABLE_6 or cell.exits == LEARNED:
                    found.setdefault(cell, grid.name)
        for figure in self.figures:
            found |= dict.fromkeys((figure.ours, figure.other), FIGURE_2)
        return {one: table for one, table in found.items() if any(part in one.name for part in self._parts)}

    @property
    def _parts(self) -> list[str]:
        """Of the names of cells; each has the empty one."""
        return [part.strip() for part in self.only.split(",")] if self.only is not None else [""]

    def check_root(self) -> None:
        """LecoError where tables or figures would take the place of somebody else's: where they are without cells."""
        found = [path for name in TABLES for path in sorted(self.root.glob(f"{name}[._]*"))]
        if found and not any(self.root.glob("*.jsonl")):
            raise LecoError(
                f"{parameter('output')} '{self.root}' holds '{found[0].name}', but no records. Give a new folder."
            )

    def run(self, glue_dir: Path | None = None, jobs: int = 1, engine: Engine | None = None) -> None:
        """Run what is not finished."""
        run_all(self.experiments, self.root, glue_dir=glue_dir, jobs=jobs, engine=engine)

    def pending(self) -> list[Experiment]:
        """What is not finished, with what it needs, in the order of the run."""
        return [one for one in with_needs(self.experiments) if one not in self.folder]

    def status(self) -> dict[str, Any]:
        """How many cells and curves there are, and how many of them are finished."""
        done = sum(one in self.folder for one in self.experiments)
        return {"cells": len(self.experiments), "finished": done}

    def write(self, pictures: Path | None = None) -> dict[str, str]:
        """Write each table in Markdown, LaTeX and CSV, and the figures, and give the Markdown by name.

        Pictures are PNG and SVG beside the tables, or SVG alone in the folder `pictures`.
        """
        written = {}
        if self.table != TABLE_6:
            for grid in self.grids:
                written[grid.name] = write_table(grid, self.tasks, self.seeds, self.folder, self.made)
        if self.table in (TABLE_6, ALL):
            written[TABLE_6] = self._table_6()
        if self.figures:
            written[FIGURE_2] = write_figure(self.figures, self.folder, self.made, pictures)
        return written

    def _table_6(self) -> str:
        """The architectures that the searches of Table 2's row of ours found."""
        grid = self.grids[0]  # Table 2
        ours = next(row for row in grid.rows if row.name == LECO)
        searches = {task: search for task in self.tasks if (search := grid.cell(ours, task, 0).search)}
        return write_table_6(searches, self.folder, self.made)
