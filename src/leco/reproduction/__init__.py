"""The paper's tables and figure: grids of experiments, each run once, and what is made of their records."""

from leco.reproduction.criterion_curves import Curves
from leco.reproduction.experiment import Experiment
from leco.reproduction.paper_tables import PaperTables
from leco.reproduction.results_folder import ResultsFolder
from leco.reproduction.scheduler import run_all
from leco.reproduction.searches_and_cells import Cell, Search

__all__ = ["Cell", "Curves", "Experiment", "PaperTables", "ResultsFolder", "Search", "run_all"]
