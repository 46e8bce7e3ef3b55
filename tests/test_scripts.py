"""The scripts of `benchmarks/` and `studies/` can be imported, and their READMEs say what each is for.

What they make of records, where some are missing or do not come, is tested too.
"""

import json
import os
import signal
import time
from importlib import import_module
from pathlib import Path

import pytest

from leco.reproduction import Cell, ResultsFolder
from recorded import results_of

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "studies")
MODULES = [path for folder in FOLDERS for path in (ROOT / folder).rglob("[a-z]*.py")]
SCRIPTS = [path for path in MODULES if path.parent.name in FOLDERS]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_are_there(path):
    import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_readme_has_the_command(path):
    assert f"python -m {path.parent.name}.{path.stem}" in (path.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_readme_names_no_script_that_is_not_there(folder):
    lines = (ROOT / folder / "README.md").read_text(encoding="utf-8").splitlines()
    named = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert named == {path.name for path in SCRIPTS if path.parent.name == folder} - {"render.py"}


def test_the_committed_records_are_those_that_the_page_shows():
    from studies.common.paper_tables import RESULTS, by_seed

    assert [one.name for one in by_seed() if one not in RESULTS] == []


def append(folder, cell, **results):
    """Append the record of a cell, with some of its results."""
    folder.append("cells", {cell: cell.record(results_of(cell) | results)})


def test_what_standardized_states_gain_is_told_on_the_seeds_that_both_have(monkeypatch, tmp_path):
    from studies import standardized

    monkeypatch.setattr(standardized, "RESULTS", ResultsFolder(tmp_path))
    for on, seeds in ((standardized.OFF, (0, 1, 2)), (standardized.ON, (1, 2))):
        for seed in seeds:
            cell = standardized.cell(Path(), standardized.SMALL, "glue/cola", on, exits="mha", seed=seed)
            append(standardized.RESULTS, cell, dev=[0.5 if seed == 0 else 0.9])
    table = standardized.comparison()
    assert "| 6 | cola | mha | 3 | 76.7 ± 23.1 |" in table
    assert "| 6 |  | +0.0 (1) |  |" in table


def run_or_die(one, root, glue_dir):
    """The work of a process, which is killed at the first seed."""
    if one.seed == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    append(ResultsFolder(root), one)
    return 1.5


def test_cells_on_a_gpu_go_on_after_a_process_was_killed(monkeypatch, tmp_path, capsys):
    from studies import gpu_cells

    monkeypatch.setattr(gpu_cells, "run", run_or_die)
    folder, cells = ResultsFolder(tmp_path / "cells"), [Cell("glue/rte", exits="mha", seed=seed) for seed in range(3)]
    gpu_cells.run_until(time.time() + 300, cells, folder, None, jobs=1)
    gpu_cells.hand_over(cells, folder, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"failed: {cells[0].name}: BrokenProcessPool(")
    assert lines[1:] == [
        *(f"     2 s  {cell.name}" for cell in cells[1:]),
        "0 waiting, 0 cut off, 1 failed",
        "2 handed over",
    ]
    handed_over = (tmp_path / "gpu_cells.jsonl").read_text().splitlines()
    assert [json.loads(line)["settings"]["seed"] for line in handed_over] == [1, 2]
