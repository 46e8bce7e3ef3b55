"""What docs/results.md shows: which tables and figures, on which tasks, with how many seeds; paper.py runs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.common.recording import ROOT
from leco.model.pretrained import DEMO_BACKBONE
from leco.reproduction import PaperTables, ResultsFolder

RESULTS, TWELVE_LAYERS = ResultsFolder(ROOT / "results"), ResultsFolder(ROOT / "results" / "mpnet")
FLOAT32 = ResultsFolder(TWELVE_LAYERS.root / "float32")
"""Cells of twelve layers that ran in float32, too."""
PRESET, RECIPE = "quick", "sampling"
TRAIN_ROWS = {"sst-2": 10_000}


@dataclass(frozen=True)
class Run:
    """A table on some tasks with some seeds; `only` is that of `leco reproduce`."""

    table: str
    tasks: tuple[str, ...]
    seeds: int
    preset: str = PRESET
    only: str | None = None
    options: Mapping[str, Any] = field(default_factory=lambda: {"standardize": False})
    model: str = DEMO_BACKBONE
    results: ResultsFolder = RESULTS
    train_rows: Mapping[str, int] = field(default_factory=lambda: TRAIN_ROWS)

    @property
    def tables(self):
        """What it runs and writes."""
        return PaperTables(
            self.table,
            root=self.results.root,
            tasks=self.tasks,
            seeds=self.seeds,
            only=self.only,
            model=self.model,
            preset=self.preset,
            options={"bf16": True, **self.options},
            search_preset=RECIPE,
            train_rows={task: rows for task, rows in self.train_rows.items() if task in self.tasks},
            timed_texts=100,
        )

    @property
    def command(self):
        """The same by the command line, of one of RUNS."""
        tables = self.tables
        rows = ",".join(f"{task}={rows}" for task, rows in tables.train_rows.items())
        words = ["leco reproduce", self.table, f"--tasks {','.join(self.tasks)}", f"--seeds {self.seeds}"]
        words += [f"--model {tables.model}", f"--preset {self.preset} --search-preset {RECIPE}", "--bf16 --jobs 2"]
        words += [] if self.options.get("standardize") else ["--no-standardize"]
        words += [f"--train-rows {rows}"] if rows else []
        words += [f"--timed-texts {tables.timed_texts}"] if tables.figures else []
        return " ".join([*words, f"--output {self.results.root.relative_to(ROOT)}"])


RUNS = [
    Run("table2", ("sst-2", "cola"), 5),
    Run("table2", ("mrpc",), 3),
    Run("table3", ("sst-2", "cola"), 5),
    Run("table5", ("sst-2", "cola"), 5),
    Run("table6", ("sst-2", "cola", "mrpc"), 1),
    Run("figure2", ("sst-2", "mrpc"), 1),
]
RUNS_OF_TWELVE_LAYERS = [
    Run(
        table,
        ("rte", "mrpc", "cola", "sst-2"),
        5,
        options={"standardize": True},
        model="all-mpnet-base-v2",
        results=TWELVE_LAYERS,
        train_rows={"sst-2": 5_000},
    )
    for table in ("table2", "table3", "table5")
]
"""With exits on standardized states; the model is a folder of that name, wherever it is."""
VARIATIONS = {
    "exits trained at 2e-3, as by the recipe": Run(
        "table2", ("sst-2", "cola", "mrpc"), 2, preset=RECIPE, only="joint_mha,joint_learned"
    ),
    "a search three times as long": Run(
        "table2", ("mrpc",), 2, only=f"joint_learned-o-{RECIPE}", options={"standardize": False, "search_epochs": 12}
    ),
}
"""What was tried to improve the row of ours, each held against the cells of RUNS that are otherwise the same."""
VARIED = "variations"
"""The file of their records."""


def by_seed(only=None):
    """The experiments of all runs, each with its table; seed by seed, so that what is finished makes whole tables."""
    found = {}
    for table, run in [*((None, run) for run in RUNS), *((VARIED, run) for run in VARIATIONS.values())]:
        for one, first in run.tables.experiments.items():
            found.setdefault(one, table or first)
    wanted = {one: table for one, table in found.items() if only is None or only in one.name}
    return dict(sorted(wanted.items(), key=lambda item: getattr(item[0], "seed", 0)))


def all_of(table):
    """The run of a table on all of its tasks: what is rendered as one."""
    runs = [run for run in RUNS if run.table == table]
    return Run(table, tuple(task for run in runs for task in run.tasks), max(run.seeds for run in runs))
