"""The paper's experiments as grids of cells: each trains one model, is a folder, and is never run twice."""

from leco.reproduction.criterion_curves import Curves
from leco.reproduction.paper_tables import PaperTables
from leco.reproduction.scheduler import run_all
from leco.reproduction.searches_and_cells import Cell, Search

__all__ = ["Cell", "Curves", "PaperTables", "Search", "run_all"]
