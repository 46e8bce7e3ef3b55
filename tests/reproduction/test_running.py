"""Cells are run once each, continue, and leave all that a table needs."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from leco import LecoError
from leco.exits.architecture import load_architectures
from leco.reproduction import Cell, Experiment, PaperTables, ResultsFolder, Search, run_all
from leco.reproduction.engines import PROCESS, LocalEngine
from leco.reproduction.estimate import TaskCost, estimated_hours
from leco.reproduction.scheduler import with_needs
from offline import rows

OPTIONS = (("epochs", 1), ("search_epochs", 1), ("width", 8), ("max_length", 20))


@pytest.fixture(scope="module")
def glue(tmp_path_factory):
    """A folder in GLUE's layout, with an RTE of two words."""
    folder = tmp_path_factory.mktemp("glue")
    (folder / "RTE").mkdir()
    for name, seed, number in (("train", 0, 60), ("dev", 1, 20)):
        lines = ["index\tsentence1\tsentence2\tlabel"]
        for index, (text, label) in enumerate(rows(number, seed=seed)):
            lines.append(f"{index}\t{text}\ta film\t{'entailment' if label == 'positive' else 'not_entailment'}")
        (folder / "RTE" / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def cells(encoder_folder):
    common = {"model": str(encoder_folder), "options": OPTIONS}
    return [Cell("glue/rte", exits="linear", **common), Cell("glue/rte", **common), Cell("glue/rte", seed=1, **common)]


@pytest.fixture(scope="module")
def folder(cells, glue, tmp_path_factory):
    """The results of all cells, of which the first ran for no table."""
    root = tmp_path_factory.mktemp("results")
    run_all(cells[:1], root, glue_dir=glue)
    run_all(dict.fromkeys(cells, "table2"), root, glue_dir=glue, jobs=2)
    return ResultsFolder(root)


def test_a_search_serves_all_seeds(cells):
    searched = list(with_needs(dict.fromkeys(cells, "table2")))
    assert len(searched) == 4
    assert searched.index(cells[1].search) < searched.index(cells[1])
    assert cells[1].search == cells[2].search


def test_what_a_cell_leaves(cells, folder):
    for cell in cells:
        result = folder[cell]
        assert result["settings"]["seed"] == cell.seed
        assert len(result["test"]) == len(result["exit_parameters"]) == 3
        assert result["avg"] == pytest.approx(np.mean(result["test"]))
        assert result["minutes"] > 0
        assert {"versions", "machine", "epochs", "dev"} <= set(result)
        assert result["machine"]["device"]
        outputs = np.load(folder.outputs(cell))
        assert outputs["test_scores"].shape == (3, result["rows"]["test"], 2)
        assert not folder.working(cell).exists()
        assert not folder.log(cell).exists()
    lines = {path.name: len(path.read_text().splitlines()) for path in folder.root.glob("*.jsonl")}
    assert lines == {"cells.jsonl": 1, "table2.jsonl": 2, "searches.jsonl": 1}
    assert len({cell.name for cell in cells}) == 3


def test_other_options_are_another_cell(cells):
    other = replace(cells[1], options=(*OPTIONS, ("train_rows", 20)))
    assert other.name != cells[1].name
    assert other.search.name != cells[1].search.name


def test_finished_cells_are_never_run_again(cells, folder, glue):
    before = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*") if path.is_file()}
    run_all(cells, folder.root, glue_dir=glue)
    assert before == {path: path.stat().st_mtime_ns for path in folder.root.rglob("*") if path.is_file()}


def test_a_cell_that_fails_is_named_and_the_others_run(cells, glue, tmp_path):
    broken = Cell("glue/mrpc", exits="linear", model=cells[0].model, options=OPTIONS)
    with pytest.raises(LecoError, match=rf"1 of the cells failed; see '.*{broken.name}\.log'"):
        run_all([broken, cells[0]], tmp_path, glue_dir=glue)
    folder = ResultsFolder(tmp_path)
    assert cells[0] in folder
    assert broken not in folder
    assert "error:" in folder.log(broken).read_text()


def test_a_killed_run_leaves_no_process_behind_and_no_record(cells, glue, tmp_path):
    long = replace(cells[0], options=(("epochs", 10_000), *OPTIONS[1:]))
    script = (
        "from pathlib import Path; from leco.reproduction import Cell, run_all;"
        f"run_all([{long!r}], Path({str(tmp_path)!r}), glue_dir=Path({str(glue)!r}))"
    )
    run = subprocess.Popen([sys.executable, "-c", script])
    folder = ResultsFolder(tmp_path)
    log = folder.log(long)
    wait_for(lambda: log.exists() and "epoch 1/" in log.read_text())
    assert running(tmp_path)
    run.kill()
    run.wait()
    wait_for(lambda: not running(tmp_path))
    assert folder.working(long).exists()
    assert long not in folder


def test_two_runs_of_one_cell_train_it_once(cells, glue, tmp_path):
    script = (
        "from pathlib import Path; from leco.reproduction import Cell, run_all;"
        f"run_all([{cells[0]!r}], Path({str(tmp_path)!r}), glue_dir=Path({str(glue)!r}))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert len((tmp_path / "cells.jsonl").read_text().splitlines()) == 1
    assert cells[0] in ResultsFolder(tmp_path)


def wait_for(condition, seconds=60):
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.1)


def running(root):
    """Whether an experiment's process is at work in a folder of results."""
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return any(PROCESS in command and str(root) in command for command in commands)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"table": "table9"}, "table: Unknown table 'table9'.* Known: all, figure2, table2, .*, table6"),
        ({"only": "mha_seed9,gpt"}, "only: 'mha_seed9' is in no cell's name, such as rte_"),
        ({"only": "gaml,"}, "only: '' is in no cell's name, such as rte_"),
        ({"tasks": ["wnli"]}, "tasks: 'wnli' is none of rte"),
        ({"preset": "slow"}, "^preset: "),
        ({"search_preset": "slow"}, "^search_preset: "),
        *(
            ({"options": {name: value}}, f"^options: '{name}' is none that all cells may share: activations, .*, width")
            for name, value in {
                "seed": 3,
                "strategy": "gaml",
                "space": "O1",
                "train_rows": 50,
                "exits": "mha",
                "glue_dir": "glue",
                "criterion": "entropy",
                "max_drop": 0.1,
                "prune_exits": True,
                "timed_texts": 5,
                "epoch": 1,
            }.items()
        ),
        ({"options": {"epochs": 0}}, "^epochs must be at least 1"),
        ({"options": {"relaxation": "drats"}}, "^relaxation: Unknown search relaxation 'drats'"),
        ({"options": {"exit_layers": "all"}}, "^exit_layers must be numbers of layers"),
        (
            {"options": {"search_warmup": 4}, "preset": "paper", "search_preset": "sampling"},
            "^search_warmup must be less than search_epochs 4",
        ),
    ],
)
def test_bad_plans(tmp_path, settings, message):
    with pytest.raises(LecoError, match=message):
        PaperTables(**{"table": "table2", "root": tmp_path, "tasks": ["rte"], **settings})


def test_cells_with_exits_on_some_layers_need_searches_that_know_none_of_it(cells, glue, tmp_path):
    options = {**dict(OPTIONS), "exit_layers": "2,3"}
    shared = {"model": cells[0].model, "preset": "quick", "options": options}
    plan = PaperTables("table5", tmp_path, ["rte"], seeds=1, only="learned-o2,mha", **shared)
    plan.run(glue)
    assert plan.status() == {"cells": 2, "finished": 2}
    assert [len(plan.folder[cell]["test"]) for cell in plan.experiments] == [2, 2]
    plan.write()
    lines = [line.split(",") for line in (tmp_path / "table5.csv").read_text().splitlines()]
    assert [(line[0], line[3]) for line in lines[1:]] == [("O2", "2"), ("O2", "3"), ("mha", "2"), ("mha", "3")]


def test_cells_that_wait_for_nothing_that_comes_are_an_error(cells, glue, tmp_path, monkeypatch):
    """Its search runs and is not found: by another name, say."""
    monkeypatch.setattr("leco.reproduction.scheduler._ended", lambda running, folder: {running.popitem()[0]: True})

    class Engine(LocalEngine):
        def start(self, process):
            return SimpleNamespace(stop=lambda: None)

    with pytest.raises(LecoError, match=r"1 of the cells wait for what is not found in .*, such as rte_"):
        run_all(cells[1:2], tmp_path, glue_dir=glue, engine=Engine())


def test_only_takes_several_parts(tmp_path):
    plan = PaperTables("table2", tmp_path, ["rte"], seeds=1, only="joint_mha, gaml")
    assert [(cell.strategy, cell.exits) for cell in plan.experiments] == [("joint", "mha"), ("gaml", "linear")]


def test_reproduce_dry(leco, encoder_folder, glue, tmp_path):
    flags = ["--tasks", "rte", "--seeds", 1, "--model", encoder_folder, "--preset", "quick", "--output", tmp_path]
    flags += ["--glue-dir", glue]
    dry = json.loads(leco("reproduce", "table2", *flags, "--dry-run", "--json").out)
    assert (dry["cells"], dry["finished"]) == (8, 0)
    assert 0 < dry["hours_left"] < 1
    assert not list(tmp_path.iterdir())


def test_reproduce_adds_cells_that_ran_elsewhere_and_writes_the_table_of_them(leco, cells, folder, glue, tmp_path):
    flags = ["--tasks", "rte", "--seeds", 1, "--model", cells[0].model, "--preset", "quick"]
    flags += ["--output", tmp_path / "own", "--glue-dir", glue]
    grid = PaperTables("table2", tmp_path, ["rte"], seeds=1, model=cells[0].model, preset="quick")
    elsewhere = ResultsFolder(tmp_path / "elsewhere")
    result = {name: folder[cells[0]][name] for name in Cell.results}
    elsewhere.append("table2", {cell: cell.record(result) for cell in grid.experiments})
    given = elsewhere.root / "table2.jsonl"
    assert "--dry-run" in leco("reproduce", "table2", *flags, "--import", given, "--dry-run").err
    assert not (tmp_path / "own").exists()
    result = json.loads(leco("reproduce", "table2", *flags, "--import", given, "--json").out)
    assert (result["cells"], result["finished"]) == (8, 8)
    assert "| LECO |" in Path(result["tables"][0]).read_text()
    assert leco("reproduce", "table2", *flags, "--import", tmp_path / "none").err.startswith("error: The file")


def test_the_estimate_counts_rows_epochs_and_phases(monkeypatch):
    monkeypatch.setattr(TaskCost, "measure", lambda experiment, glue_dir: TaskCost(rows=100, seconds=0.36))
    joint = Cell("glue/rte", exits="linear", options=(("epochs", 5),))
    assert estimated_hours([joint], None) == pytest.approx(0.05)
    assert estimated_hours([replace(joint, strategy="two-stage")], None) == pytest.approx(0.1)
    searched = Search("glue/rte", options=(("search_epochs", 7),))
    assert estimated_hours([searched, joint], None) == pytest.approx(0.12)


@pytest.mark.parametrize(("batches", "in_step"), [(1, 4), (3, 12), (20, 60)])
def test_the_estimate_is_of_all_rows_of_a_step(glue, monkeypatch, batches, in_step):
    """Which runs so many batches of four rows; there are sixty."""

    def train(*args, train_rows, callbacks, **options):
        assert train_rows == min(60, in_step * 10)
        callbacks[0].seconds += [0.5 * in_step] * 10

    monkeypatch.setattr("leco.reproduction.estimate.train", train)
    cell = Cell("glue/rte", options=(("batch_size", 4), ("gradient_accumulation", batches)))
    assert TaskCost.measure(cell, glue) == TaskCost(rows=60, seconds=0.5)


def test_another_search_preset_is_another_learned_cell_and_the_same_other_cell(cells):
    plan = PaperTables("table2", Path(), ["rte"], preset="quick", search_preset="paper")
    names = {experiment.name for experiment in plan.experiments} - {
        experiment.name for experiment in replace(plan, search_preset=None).experiments
    }
    assert names == {f"rte_all-minilm-l6-v2_quick_joint_learned-o-paper_seed{seed}" for seed in range(5)}


def test_figure_2_keeps_the_models_it_looks_at_and_is_drawn_from_its_records(cells, folder, glue, tmp_path):
    shutil.copytree(folder.root, tmp_path, dirs_exist_ok=True)
    shared = {"model": cells[0].model, "preset": "quick", "options": dict(OPTIONS)}
    plan = PaperTables("figure2", tmp_path, ["rte"], timed_texts=3, **shared)
    assert [one in plan.folder for one in plan.experiments] == [False, False]
    plan.run(glue)
    assert list(plan.experiments.values()) == ["figure2", "figure2"]
    before = [plan.folder[one] for one in plan.experiments]
    assert set(before[1]["evaluation"]["curves"]) == {"patience", "oracle"}
    for cell in cells[:2]:
        assert plan.folder.has_model(cell)
        shutil.rmtree(plan.folder.model(cell))
    plan.run(glue)
    written = plan.write()["figure2"]
    assert before == [plan.folder[one] for one in plan.experiments]
    assert "| patience (JT + linear exit) |" in written
    assert "| cobee |" in written
    assert (tmp_path / "figure2_rte.svg").read_text().count("patience (JT + linear exit)") == 1
    assert (tmp_path / "figure2_rte.png").exists()
    lines = (tmp_path / "figure2.csv").read_text().splitlines()
    assert lines[0].startswith("task,criterion,settings,dev_score")
    assert len(lines) > 20
    written = plan.write(pictures=tmp_path / "assets")["figure2"]
    assert "](assets/figure2_rte.svg)" in written
    assert [path.name for path in (tmp_path / "assets").iterdir()] == ["figure2_rte.svg"]


def test_table_6_shows_what_the_search_found(cells, folder, tmp_path):
    shutil.copytree(folder.root, tmp_path, dirs_exist_ok=True)
    options = dict(OPTIONS)
    plan = PaperTables("table6", tmp_path, ["rte"], seeds=2, model=cells[0].model, preset="quick", options=options)
    assert plan.status() == {"cells": 2, "finished": 2}
    written = plan.write()["table6"]
    found = folder[cells[1].search]["architectures"]
    for layer, exit in enumerate(found, start=1):
        edges = [exit[edge] for edge in ("activation_1", "activation_2", "pooler", "encoder_1", "encoder_2")]
        assert f"| rte | {layer} | {' | '.join(edges)} |" in written
        assert ",".join(["rte", str(layer), *edges]) in (tmp_path / "table6.csv").read_text()
    assert (tmp_path / "table6.tex").read_text().count(r"\\") == 4
    assert [one.to_dict() for one in load_architectures(tmp_path / "table6_rte.json", 3)] == found


def test_a_kind_of_ones_own_runs_beside_its_records(tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "kinds", dict(Experiment.kinds))
    (tmp_path / "own_kind.py").write_text(
        "from leco.reproduction import Experiment\n\n\n"
        "class Constant(Experiment):\n"
        '    results = {"value": int}\n\n'
        "    def run(self, folder, glue_dir=None):\n"
        '        return {"value": len(folder.records())}\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    kind = importlib.import_module("own_kind").Constant
    for preset in ("quick", "paper"):
        run_all({kind("demo/rotten_tomatoes", preset=preset): "own"}, tmp_path / "results")
    assert [record["value"] for record in ResultsFolder(tmp_path / "results").records().values()] == [0, 1]
