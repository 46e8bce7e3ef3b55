"""What `leco reproduce` does: which cells a table needs, running them, and writing the table."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leco.exits.architecture import architecture_from_dict
from leco.experiments.cells import Cell, finished, read_result
from leco.experiments.grids import GRIDS, LECO, Grid, base_cell, check_tasks
from leco.experiments.runner import run_all
from leco.experiments.tables import write_table
from leco.files import write_text
from leco.job import LEARNED
from leco.model.pretrained import DEMO_BACKBONE
from leco.options import naming
from leco.presets import build_options

TABLE_6 = "table6"
ALL = "all"


@dataclass(frozen=True)
class Plan:
    """The cells of one of the paper's tables, or of all, in the folder `root`.

    Args:
        table: table2 to table6, or all.
        root: the folder for the tables, and in `root/cells` for the cells.
        tasks: names of GLUE's tasks.
        seeds: each cell is run with the seeds from 0 to this less 1; the search once for each task.
        only: keeps the cells that have this in their names.
        model, preset, options: what all cells have in common.

    Raises:
        LecoError: for an unknown table, task, preset or option.

    """

    table: str
    root: Path
    tasks: Sequence[str]
    seeds: int = 5
    only: str | None = None
    model: str = DEMO_BACKBONE
    preset: str = "paper"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_tasks(self.tasks)
        build_options(self.preset, self.options)
        assert self.grids

    @property
    def cells_folder(self) -> Path:
        """Where the cells are."""
        return self.root / "cells"

    @property
    def grids(self) -> list[Grid]:
        """The grids of cells; Table 6 shows what the searches of Table 2 found."""
        base = base_cell(self.model, self.preset, self.options)
        names = list(GRIDS) if self.table == ALL else ["table2" if self.table == TABLE_6 else self.table]
        with naming("TABLE"):
            return [GRIDS[name](base) for name in names]

    @property
    def cells(self) -> list[Cell]:
        """All cells that are wanted, each once."""
        cells = dict.fromkeys(cell for grid in self.grids for cell in grid.cells(self.tasks, self.seeds))
        wanted = [cell for cell in cells if self.only is None or self.only in cell.name]
        return [cell for cell in wanted if cell.exits == LEARNED] if self.table == TABLE_6 else wanted

    def run(self, glue_dir: Path | None = None, jobs: int = 1) -> None:
        """Run what is not finished."""
        run_all(self.cells, self.cells_folder, glue_dir=glue_dir, jobs=jobs)

    def status(self) -> dict[str, Any]:
        """How many cells there are and how many are finished, and the hours that the others take by these."""
        done = [cell for cell in self.cells if finished(cell, self.cells_folder)]
        minutes = [read_result(cell, self.cells_folder)["minutes"] for cell in done]
        left = len(self.cells) - len(done)
        hours = left * statistics.fmean(minutes) / 60 if minutes else None
        basis = f"the mean of those, {statistics.fmean(minutes):.1f} minutes" if minutes else None
        return {"cells": len(self.cells), "finished": len(done), "hours_left": hours, "basis": basis}

    def write(self) -> dict[str, str]:
        """Write each table in Markdown, LaTeX and CSV, and give the Markdown by the table's name."""
        written = {}
        if self.table != TABLE_6:
            for grid in self.grids:
                written[grid.name] = write_table(grid, self.tasks, self.seeds, self.cells_folder, self.root)
        if self.table in (TABLE_6, ALL):
            written[TABLE_6] = self._table_6()
        return written

    def _table_6(self) -> str:
        """The architectures that the searches found, a line for each layer."""
        grid = self.grids[0]  # Table 2, in which one row is ours
        ours = next(row for row in grid.rows if row.name == LECO)
        parts = ["**Learned exits (Table 6)**"]
        for task in self.tasks:
            search = grid.cell(ours, task, 0).search
            if search is not None and finished(search, self.cells_folder):
                found = read_result(search, self.cells_folder)["architectures"]
                lines = [f"{layer}. {architecture_from_dict(value)}" for layer, value in enumerate(found, start=1)]
                parts.append("\n".join([f"{task}:", "", *lines]))
        text = "\n\n".join(parts) + "\n"
        write_text(self.root / f"{TABLE_6}.md", text)
        return text
