"""The grids of cells behind each table of the paper, with the paper's own numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from leco.errors import LecoError, parameter
from leco.model.pretrained import DEMO_BACKBONE
from leco.registry import Registry
from leco.reproduction.searches_and_cells import Cell
from leco.settings import LEARNED
from leco.training.strategies import STRATEGIES

PLAIN = (("bf16", True), ("standardize", False))
TASKS = "rte", "mrpc", "cola", "sst-2", "qnli", "qqp", "mnli"
"""The tasks of Table 2, in its order."""

LECO = "LECO"


@dataclass(frozen=True)
class Row:
    """A method of a table: its cell, whatever the task and the seed, and the paper's AVG and BEST by task.

    Ours is held against the best `baseline`, and a row that has a `rival` against that alone.
    """

    name: str
    cell: Cell
    paper: Mapping[str, tuple[float, float | None]]
    baseline: bool = True
    rival: str | None = None


def on_task(cell: Cell, task: str, train_rows: Mapping[str, int]) -> Cell:
    """The same cell on one of GLUE's tasks, with as many training rows as `train_rows` says of it."""
    sample = (("train_rows", train_rows[task]),) if task in train_rows else ()
    return replace(cell, task=f"glue/{task}", options=cell.options + sample)


@dataclass(frozen=True)
class Grid:
    """A table: its rows, of which `ours` is held against the best baseline, for each task.

    `train_rows` says of tasks on a sample of how many rows their cells train; the others train on all.
    """

    name: str
    title: str
    rows: Sequence[Row]
    ours: str = LECO
    train_rows: Mapping[str, int] = field(default_factory=dict)

    def cells(self, tasks: Sequence[str], seeds: int) -> list[Cell]:
        """All its cells, those of the first seed first."""
        return [self.cell(row, task, seed) for seed, task, row in product(range(seeds), tasks, self.rows)]

    def cell(self, row: Row, task: str, seed: int) -> Cell:
        """The cell of a row for a task and a seed."""
        return on_task(replace(row.cell, seed=seed), task, self.train_rows)


def _paper(name: str) -> dict[str, tuple[float, float | None]]:
    """AVG and BEST by task of a row of Table 2."""
    (line,) = (line for line in PAPER_2.splitlines() if line.startswith(f"{name}:"))
    numbers = [float(number) for number in line.removeprefix(f"{name}:").split()]
    return dict(zip(TASKS, zip(numbers[::2], numbers[1::2], strict=True), strict=True))


def _two(rte: float, sst2: float) -> dict[str, tuple[float, float | None]]:
    """AVG on the two tasks of Tables 3 to 5."""
    return {"rte": (rte, None), "sst-2": (sst2, None)}


PAPER_2 = """
JT + linear exit: 66.8 72.5 83.7 87.9 43.7 53.3 89.2 91.1 82.6 87.3 82.2 87.2 76.0 83.1
JT + MHA exit: 68.1 76.9 84.1 88.2 43.6 57.5 88.2 91.5 82.8 87.6 82.4 87.1 76.8 83.2
GradEquil: 67.3 77.4 84.2 89.3 43.6 56.1 89.2 91.8 82.4 88.0 82.7 87.0 76.5 83.6
ALT: 68.5 77.8 84.6 88.3 44.1 57.3 88.9 91.6 82.3 87.8 82.5 86.8 76.6 83.2
GAML-BERT: 68.8 77.6 84.9 88.8 45.0 57.9 89.1 92.3 82.6 87.9 82.6 87.5 75.9 83.4
Global-PF: 68.5 78.1 84.9 88.6 45.1 57.7 88.9 92.6 82.5 88.1 82.6 87.4 76.5 83.3
2ST + MHA exit: 68.9 77.5 85.1 89.2 45.0 57.9 89.3 92.4 82.5 88.0 82.7 87.3 76.2 82.7
LECO: 69.7 77.9 85.8 89.4 46.4 58.0 89.6 92.5 83.4 88.1 83.1 87.4 77.3 83.4
"""
"""The numbers of the paper's Table 2: AVG and BEST of each task."""

TABLE_2 = {
    "JT + linear exit": ("joint", "linear"),
    "JT + MHA exit": ("joint", "mha"),
    "GradEquil": ("gradient-equilibrium", "linear"),
    "ALT": ("alternating", "linear"),
    "GAML-BERT": ("gaml", "linear"),
    "Global-PF": ("global-past-future", "past-future"),
    "2ST + MHA exit": ("two-stage", "mha"),
    LECO: ("joint", LEARNED),
}
TABLE_3 = {
    LECO: ("joint", LEARNED, _two(69.7, 89.6)),
    "2ST + MHA exit": ("two-stage", "mha", _two(68.9, 89.3)),
    "2ST + LECO": ("two-stage", LEARNED, _two(69.6, 89.5)),
    "ALT": ("alternating", "linear", _two(68.5, 88.9)),
    "ALT + LECO": ("alternating", LEARNED, _two(69.3, 89.4)),
}
LEARNED_INSTEAD = {"2ST + LECO": "2ST + MHA exit", "ALT + LECO": "ALT"}
"""Rows of Table 3 with learned exits, and those that differ from them in their exits alone."""
TABLE_4 = {
    "albert-base-v2": (_two(69.7, 89.6), _two(68.1, 88.2)),
    "roberta-base": (_two(68.6, 88.7), _two(66.5, 87.4)),
    "microsoft/deberta-base": (_two(69.5, 89.3), _two(66.9, 88.1)),
}
TABLE_5 = {"O": _two(69.7, 89.6), "O1": _two(69.3, 89.1), "O2": _two(68.9, 88.7), "mha": _two(68.1, 88.2)}


def table2(base: Cell) -> Grid:
    """Every training method, with its exits; of another search preset beside the training's, what both find."""
    rows = [
        Row(name, replace(base, strategy=strategy, exits=exits), _paper(name), baseline=name != LECO)
        for name, (strategy, exits) in TABLE_2.items()
    ]
    if base.search_preset is not None:
        usual = replace(base, exits=LEARNED, search_preset=None)
        rows.append(Row(f"{LECO}, searched by {base.preset}", usual, {}, baseline=False))
    return Grid("table2", "Multi-exit training methods (the paper's Table 2)", rows)


def table3(base: Cell) -> Grid:
    """Learned exits under other training strategies, each against the strategy's usual exits."""
    rows = []
    for name, (strategy, exits, paper) in TABLE_3.items():
        cell = replace(base, strategy=strategy, exits=exits)
        rows.append(Row(name, cell, paper, baseline=exits != LEARNED, rival=LEARNED_INSTEAD.get(name)))
    return Grid("table3", "Learned exits with other training strategies (Table 3)", rows)


def table4(base: Cell) -> Grid:
    """Other backbones; each has to be there, on the Hub or as a folder."""
    rows = []
    for model, papers in TABLE_4.items():
        for exits, paper in zip((LEARNED, "mha"), papers, strict=True):
            other = f"{model}: JT + MHA exit"
            name, rival = (f"{model}: {LECO}", other) if exits == LEARNED else (other, None)
            rows.append(Row(name, replace(base, model=model, exits=exits), paper, rival=rival))
    return Grid("table4", "Other backbones (Table 4)", rows, ours=f"albert-base-v2: {LECO}")


def table5(base: Cell) -> Grid:
    """Smaller search spaces; the last holds the MHA exit alone, so that there is nothing to search."""
    rows = [
        Row(name, replace(base, exits="mha") if name == "mha" else replace(base, exits=LEARNED, space=name), paper)
        for name, paper in TABLE_5.items()
    ]
    return Grid("table5", "Ablation of the search space (Table 5)", rows, ours="O")


GRIDS: Registry[Any] = Registry("table", {"table2": table2, "table3": table3, "table4": table4, "table5": table5})


def base_cell(model: str = DEMO_BACKBONE, preset: str = "quick", options: Mapping[str, Any] | None = None) -> Cell:
    """What all cells of a grid have in common."""
    return Cell("glue/rte", model=model, preset=preset, options=tuple((options or {}).items()))


def check_tasks(tasks: Sequence[str], name: str = "tasks") -> None:
    """Raise LecoError for a task that the paper's tables do not have."""
    for task in tasks:
        if task not in TASKS:
            raise LecoError(f"{parameter(name)}: '{task}' is none of {', '.join(TASKS)}.")


def parse_train_rows(text: str, tasks: Sequence[str]) -> dict[str, int]:
    """`N` for all tasks, or `TASK=N,...` for some; LecoError for anything else."""
    found = {}
    for part in text.split(","):
        task, _, number = part.strip().rpartition("=")
        if not number.isdecimal() or int(number) < 1:
            where = parameter("train_rows")
            raise LecoError(f"{where}: '{part}' is neither a number of rows nor TASK=ROWS, such as sst-2=10000.")
        found.update(dict.fromkeys([task] if task else tasks, int(number)))
    check_tasks(list(found), "train_rows")
    return found


def methods(tasks: Sequence[str] = ("cola", "rte")) -> list[Cell]:
    """Every training strategy with every kind of exits, the usual ones first; one seed, the quick preset."""
    cells = []
    for task, (name, strategy), exits in product(tasks, STRATEGIES.items(), ("linear", "mha", LEARNED)):
        if strategy.exits is None:
            cells.append(Cell(f"glue/{task}", strategy=name, exits=exits, options=PLAIN))
        elif exits == "linear":
            cells.append(Cell(f"glue/{task}", strategy=name, exits=strategy.exits.kind, options=PLAIN))
    return cells
