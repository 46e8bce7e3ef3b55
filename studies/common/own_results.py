"""The folder of the studies' own cells, beside the paper's tables, with all kinds that its records are of."""

from benchmarks.common.recording import ROOT
from leco.reproduction import ResultsFolder
from studies.common.variants import VariantCell

RESULTS = ResultsFolder(ROOT / "studies" / "results")
KINDS = (VariantCell,)
"""The kinds that it has beside those of `leco.reproduction`: a record can be read once its kind is imported."""
