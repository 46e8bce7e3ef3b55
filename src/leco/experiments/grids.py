"""The grids of cells behind each table."""

from itertools import product

from leco.experiments.cells import LEARNED, Cell
from leco.training.strategies import STRATEGIES

BF16 = (("bf16", True),)


def methods(tasks: tuple[str, ...] = ("glue/cola", "glue/rte")) -> list[Cell]:
    """Every training strategy with every kind of exits, the usual ones first; one seed, the quick preset."""
    cells = []
    for task, (name, strategy), exits in product(tasks, STRATEGIES.items(), ("linear", "mha", LEARNED)):
        own = getattr(strategy, "exits", None)
        if own is None:
            cells.append(Cell(task, name, exits, options=BF16))
        elif exits == "linear":
            cells.append(Cell(task, name, own.kind, options=BF16))
    return cells
