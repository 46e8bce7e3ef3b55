"""The folder of the studies' own cells, beside the paper's tables, with all kinds that its records are of."""

import argparse
from pathlib import Path

from benchmarks.common.recording import ROOT
from leco.reproduction import ResultsFolder, run_all
from studies.common.variants import VariantCell

RESULTS = ResultsFolder(ROOT / "studies" / "results")
KINDS = (VariantCell,)
"""The kinds that it has beside those of `leco.reproduction`: a record can be read once its kind is imported."""


def command_line():
    """The flags of a study that runs cells."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, default=Path())
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--render", action="store_true")
    return parser


def ran_on(records):
    """A sentence on what the records' experiments ran on, and with which versions; older records lack the precision."""
    found = set()
    for about in ({**record["versions"], **record["machine"]} for record in records):
        where = about["processor"] if about.get("device", "cpu") == "cpu" else about["device"]
        where += f" in {about['precision']}" if "precision" in about else ""
        found.add(f"{where}, Python {about['python']}, PyTorch {about['torch']}, Transformers {about['transformers']}")
    return f"Ran on: {'; '.join(sorted(found))}."


def run_missing(cells, file, arguments):
    """Run those of the cells that are not finished; their records go to the file of that name."""
    run_all(dict.fromkeys(cells, file), RESULTS.root, glue_dir=arguments.glue_dir, jobs=arguments.jobs)
