"""The paper's experiments as grids of cells: each trains one model, is a folder, and is never run twice."""

from leco.experiments.cells import Cell, Search
from leco.experiments.curves import Curves
from leco.experiments.plan import Plan
from leco.experiments.runner import run_all

__all__ = ["Cell", "Curves", "Plan", "Search", "run_all"]
