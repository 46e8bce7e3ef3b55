"""The paper's experiments as grids of cells: each trains one model, is a folder, and is never run twice."""

from leco.experiments.cells import Cell, Search, run_cell, run_search
from leco.experiments.plan import Plan
from leco.experiments.runner import run_all

__all__ = ["Cell", "Plan", "Search", "run_all", "run_cell", "run_search"]
