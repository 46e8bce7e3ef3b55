"""Tables are made of the cells alone."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from leco import LecoError
from leco.reproduction import ResultsFolder
from leco.reproduction.grids import GRIDS, LECO, TASKS, base_cell, methods, parse_train_rows
from leco.reproduction.searches_and_cells import Cell
from leco.reproduction.tables import entries, one_sided_p, significance, write_table
from leco.training.strategies import STRATEGIES
from recorded import results_of

SEEDS = 5
MADE = "an-encoder by the preset quick."


def write_cells(grid, root, score, tasks=("rte",), seeds=SEEDS):
    """Records of all cells of a grid, with scores by row, seed and layer; gives their folder."""
    folder, records = ResultsFolder(root), {}
    for task, row, seed in product(tasks, grid.rows, range(seeds)):
        cell = grid.cell(row, task, seed)
        scores = {"test": [score(row.name, seed, layer) for layer in range(3)], "exit_parameters": [10, 10, 10]}
        records[cell] = cell.record(results_of(cell) | scores)
    folder.append(grid.name, records)
    return folder


@pytest.fixture
def grid():
    return GRIDS["table2"](base_cell())


def test_every_table_has_its_rows_and_the_papers_numbers():
    for name, make in GRIDS.items():
        grid = make(base_cell())
        assert grid.ours in [row.name for row in grid.rows]
        cells = grid.cells(["rte", "sst-2"], 2)
        assert len({cell.name for cell in cells}) == len(cells) == 4 * len(grid.rows), name
        for row in grid.rows:
            assert {"rte", "sst-2"} <= set(row.paper)
    ours = {row.name: row for row in GRIDS["table2"](base_cell()).rows}[LECO]
    assert ours.paper["cola"] == (46.4, 58.0)
    assert set(ours.paper) == set(TASKS)


def test_the_grid_of_all_methods_has_every_strategy():
    assert {cell.strategy for cell in methods()} == set(STRATEGIES)
    assert all(isinstance(cell, Cell) for cell in methods())


def test_a_better_method_is_bold_and_starred(grid, tmp_path):
    random = np.random.default_rng(0)
    noise = random.normal(0, 0.001, (10, 10))
    folder = write_cells(grid, tmp_path, lambda row, seed, layer: 0.7 + 0.05 * (row == LECO) + noise[seed, layer])
    text = write_table(grid, ["rte"], SEEDS, folder, MADE)
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {LECO}"))
    assert "**75.0 ± 0.1**\\*" in line
    assert "69.7 / 77.9" in line
    assert "less that of JT + linear exit: +5.0 ± 0.0, n = 5 seeds, p = 0.031; over 15 layer-seed pairs" in text
    assert r"\textbf{75.0 $\pm$ 0.1}$^*$" in (tmp_path / "table2.tex").read_text()
    assert (tmp_path / "table2.tex").read_text().startswith(f"% {MADE}\n")
    assert text.splitlines()[:4] == [f"**{grid.title}**", "", MADE, ""]
    lines = (tmp_path / "table2.csv").read_text().splitlines()
    assert len(lines) == 1 + 8 * SEEDS * 3
    assert lines[1].startswith("JT + linear exit,rte,0,1,7")


def test_no_star_without_significance_and_no_row_without_cells(grid, tmp_path):
    folder = write_cells(grid, tmp_path, lambda row, seed, layer: 0.7 + 0.001 * (seed % 2) * (row == LECO), seeds=2)
    text = write_table(grid, ["rte", "cola"], SEEDS, folder, MADE)
    assert "\\*" not in text
    assert "cola" not in text


def test_significance_is_of_the_best_baseline_on_the_seeds_of_both(grid, tmp_path):
    folder = write_cells(grid, tmp_path, lambda row, seed, layer: {"ALT": 0.8, LECO: 0.9}.get(row, 0.5) + seed / 1000)
    found = {entry.row: entry for entry in entries(grid, ["rte"], SEEDS, folder)}
    ours = found.pop(LECO)
    test = significance(ours, list(found.values()))
    assert (test.against, test.n, test.pairs) == ("ALT", 5, 15)
    assert test.p == pytest.approx(1 / 32)
    assert test.lead == pytest.approx(10)
    assert test.spread == pytest.approx(0)
    assert significance(ours, []) is None


def test_both_searches_have_their_row_and_neither_is_a_baseline(tmp_path):
    grid = GRIDS["table2"](replace(base_cell(), search_preset="paper"))
    folder = write_cells(
        grid, tmp_path, lambda row, seed, layer: {"ALT": 0.7, LECO: 0.8}.get(row, 0.9 if LECO in row else 0.5)
    )
    text = write_table(grid, ["rte"], SEEDS, folder, MADE)
    assert f"| {LECO}, searched by quick | **90.0" in text
    assert f"AVG of {LECO} less that of ALT: +10.0" in text


def test_learned_exits_are_no_baseline_of_table_3_and_are_held_against_the_usual_exits(tmp_path):
    grid = GRIDS["table3"](base_cell())
    scores = {"2ST + MHA exit": 0.7, "2ST + LECO": 0.75, "ALT": 0.5, "ALT + LECO": 0.79, LECO: 0.8}
    folder = write_cells(grid, tmp_path, lambda row, seed, layer: scores[row])
    text = write_table(grid, ["rte"], SEEDS, folder, MADE)
    assert f"AVG of {LECO} less that of 2ST + MHA exit: +10.0" in text
    assert "AVG of 2ST + LECO less that of 2ST + MHA exit: +5.0" in text
    assert "AVG of ALT + LECO less that of ALT: +29.0" in text
    assert text.count("less that of") == 3


def test_each_backbone_of_table_4_is_held_against_itself(tmp_path):
    grid = GRIDS["table4"](base_cell())
    better = {"albert-base-v2": 0.7, "roberta-base": 0.8}
    folder = write_cells(
        grid, tmp_path, lambda row, seed, layer: better.get(row.split(":")[0], 0.5) + 0.05 * (LECO in row)
    )
    text = write_table(grid, ["rte"], SEEDS, folder, MADE)
    for model in better:
        assert f"AVG of {model}: {LECO} less that of {model}: JT + MHA exit: +5.0 ± 0.0, n = 5 seeds" in text
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {model}: {LECO}"))
        assert "\\*" in line
    assert text.count("less that of") == len({row.name.split(":")[0] for row in grid.rows})


def test_samples_are_of_some_tasks(grid):
    sampled = replace(grid, train_rows=parse_train_rows("sst-2=10000", ["rte", "sst-2"]))
    names = [cell.name for cell in sampled.cells(["rte", "sst-2"], 1)]
    assert ["train_rows-10000" in name for name in names] == [False] * 8 + [True] * 8
    assert parse_train_rows("50", ["rte", "cola"]) == {"rte": 50, "cola": 50}


@pytest.mark.parametrize("text", ["many", "rte=", "0", "wnli=10", "²"])
def test_bad_samples(text):
    with pytest.raises(LecoError, match="train_rows"):
        parse_train_rows(text, ["rte"])


def test_rounding_errors_do_not_break_ties():
    alike, with_errors = np.array([0.3, 0.3, -0.3, 0.5]), np.array([0.1 + 0.2, 0.3, -0.3, 0.5])
    assert with_errors[0] != alike[0]
    assert one_sided_p(with_errors) == one_sided_p(alike)


def test_the_former_names_still_work_with_a_warning():
    from leco import experiments, reproduction

    for old, new in (("Plan", "PaperTables"), ("Cell", "Cell")):
        with pytest.warns(DeprecationWarning, match=rf"leco\.reproduction\.{new}"):
            assert getattr(experiments, old) is getattr(reproduction, new)
    assert not hasattr(experiments, "Nothing")
