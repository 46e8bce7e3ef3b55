"""Records are lines that are appended whole, found again by what they are of, and can come from elsewhere."""

import json
import re
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from leco import LecoError
from leco.reproduction import Cell, Curves, ResultsFolder, Search
from leco.reproduction.experiment import Experiment, device_name
from recorded import results_of


def record(experiment):
    return experiment.record(results_of(experiment))


def cells(first, last):
    return [Cell("glue/rte", exits="linear", seed=seed) for seed in range(first, last)]


def append(root, first, last):
    folder = ResultsFolder(Path(root))
    for cell in cells(first, last):
        folder.append("table2", {cell: record(cell)})


EXPERIMENTS = [
    Cell("glue/rte", options=(("bf16", True), ("encoders", "conv_1,null")), strategy="alternating:per_step=true"),
    Search("glue/cola", options=(("train_rows", 100),), space="O1"),
    Curves("glue/mrpc", criteria="patience", timed_texts=100),
]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.name)
def test_a_record_describes_its_experiment(experiment, tmp_path):
    folder = ResultsFolder(tmp_path)
    assert experiment not in folder
    with pytest.raises(LecoError, match=f"has no record of {experiment.name}"):
        folder[experiment]
    folder.append("table2", {experiment: record(experiment)})
    assert experiment in folder
    found = folder[experiment]
    assert Experiment.from_description(found) == experiment
    assert set(experiment.results) | {"kind", "settings", "versions", "machine"} == set(found)
    assert found["machine"]["device"] == device_name("auto")


def test_each_kind_has_its_file_and_a_shared_experiment_one_line(tmp_path):
    folder = ResultsFolder(tmp_path)
    cell, search, curves = Cell("glue/rte"), Search("glue/rte"), Curves("glue/rte")
    assert folder.append("table2", {search: record(search), cell: record(cell)}) == 2
    assert folder.append("figure2", {cell: record(cell), curves: record(curves)}) == 1
    lines = {path.stem: len(path.read_text().splitlines()) for path in tmp_path.glob("*.jsonl")}
    assert lines == {"table2": 1, "searches": 1, "figure2": 1}


def test_processes_append_side_by_side(tmp_path):
    context = get_context("spawn")
    processes = [context.Process(target=append, args=(str(tmp_path), *rows)) for rows in ((0, 12), (6, 18))]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = [json.loads(line) for line in (tmp_path / "table2.jsonl").read_text().splitlines()]
    assert sorted(line["settings"]["seed"] for line in lines) == list(range(18))
    assert all(cell in ResultsFolder(tmp_path) for cell in cells(0, 18))


def test_an_append_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    append(tmp_path, 0, 2)
    before = (tmp_path / "table2.jsonl").read_text()
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space"):
        append(tmp_path, 2, 3)
    assert (tmp_path / "table2.jsonl").read_text() == before
    assert cells(2, 3)[0] not in ResultsFolder(tmp_path)


def test_a_last_line_without_its_end_stays_one(tmp_path):
    append(tmp_path, 0, 2)
    path = tmp_path / "table2.jsonl"
    path.write_text(path.read_text().rstrip("\n"))
    append(tmp_path, 2, 3)
    assert [one in ResultsFolder(tmp_path) for one in cells(0, 3)] == [True] * 3


NAMED = Cell("glue/rte", model="google/electra", exits="mha")


@pytest.mark.parametrize(
    ("own", "other", "message"),
    [
        (NAMED, replace(NAMED, model="someone/electra"), "the model 'google/electra', not 'someone/electra'"),
        (NAMED, replace(NAMED, model="/models/electra"), "the model 'google/electra', not '/models/electra'"),
        (NAMED, replace(NAMED, model="electra"), "the model 'google/electra', not 'electra'"),
        (replace(NAMED, model="/Tiny"), replace(NAMED, model="/tiny"), "the model 'Tiny', not '/tiny'"),
        (NAMED, replace(NAMED, task="demo/rte"), "the data 'glue/rte', not 'demo/rte'"),
        (NAMED, replace(NAMED, task="/data/rte"), "the data 'glue/rte', not '/data/rte'"),
        (replace(NAMED, exits="a/x.json"), replace(NAMED, exits="/c/x.json"), "the exits 'a/x.json', not '/c/x"),
        (NAMED, replace(NAMED, exits="found/mha"), "the exits 'mha', not 'found/mha'"),
        (
            Search("glue/rte", options=(("cost_table", "a/costs.json"),)),
            Search("glue/rte", options=(("cost_table", "b/costs.json"),)),
            "the cost_table 'a/costs.json', not 'b/costs.json'",
        ),
    ],
)
def test_a_record_of_another_experiment_is_not_taken_as_ones_own(tmp_path, own, other, message):
    """What differs is before the last slash, which names leave out, or in capital letters."""
    assert own.name == other.name
    folder = ResultsFolder(tmp_path)
    folder.append("table2", {own: record(own)})
    assert own in folder
    message = f"'{tmp_path}' has a record of {own.name}, but with {message}"
    for look in (folder.__contains__, folder.__getitem__, lambda one: folder.append("table2", {one: record(one)})):
        with pytest.raises(LecoError, match=re.escape(message)):
            look(other)


def test_records_are_found_wherever_the_model_lies_and_however_glue_is_written(tmp_path):
    folder = ResultsFolder(tmp_path)
    cell = Cell("glue/RTE", model="/models/electra", exits="./x.json")
    folder.append("table2", {cell: record(cell)})
    for model in ("/models/electra/", "/elsewhere/electra", "google/electra", "electra", "./electra"):
        assert folder[Cell("glue/rte", model=model, exits="x.json")]["settings"]["model"] == "electra"


@pytest.mark.parametrize("folder", ["/models/bert", "models/bert"])
def test_a_folder_is_the_same_with_a_slash_behind_it(tmp_path, folder):
    with_slash, without = (Cell("glue/rte", model=f"{folder}{end}", exits="linear") for end in ("/", ""))
    other = Cell("glue/rte", model="models/albert/", exits="linear")
    ResultsFolder(tmp_path).append("table2", {with_slash: record(with_slash)})
    assert [one in ResultsFolder(tmp_path) for one in (with_slash, without, other)] == [True, True, False]


def test_curves_of_some_texts_are_others_than_those_of_all(tmp_path):
    some = [Curves("glue/rte"), Curves("glue/rte", timed_texts=5), Curves("glue/rte", timed_texts=5, repeats=1)]
    ResultsFolder(tmp_path).append("figure2", {some[1]: record(some[1])})
    assert [one in ResultsFolder(tmp_path) for one in some] == [False, True, False]


def test_records_of_another_machine_are_added_once(tmp_path):
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    append(elsewhere, 0, 3)
    append(here, 2, 4)
    folder = ResultsFolder(here)
    assert folder.add_file(elsewhere / "table2.jsonl") == 2
    assert folder.add_file(elsewhere / "table2.jsonl") == 0
    assert all(cell in folder for cell in cells(0, 4))
    assert len((here / "table2.jsonl").read_text().splitlines()) == 4


def test_records_of_a_hidden_file_are_found(tmp_path):
    append(tmp_path / "elsewhere", 0, 2)
    (tmp_path / "elsewhere" / "table2.jsonl").rename(tmp_path / ".table2.jsonl")
    folder = ResultsFolder(tmp_path / "here")
    assert folder.add_file(tmp_path / ".table2.jsonl") == 2
    assert all(cell in folder for cell in cells(0, 2))


def test_records_may_leave_out_what_is_usual(tmp_path):
    given = record(Cell("glue/rte", exits="linear"))
    given["settings"] = {name: given["settings"][name] for name in ("task", "exits", "options")}
    (tmp_path / "given.jsonl").write_text(json.dumps(given) + "\n")
    folder = ResultsFolder(tmp_path / "results")
    assert folder.add_file(tmp_path / "given.jsonl") == 1
    assert cells(0, 1)[0] in folder


def test_records_may_have_options_that_are_not_known_here(tmp_path):
    given = record(cells(0, 1)[0])
    given["settings"]["options"] = {"device": "cuda:1", "mixture": ["a", "b"]}
    given["machine"]["device"] = "A GPU"
    (tmp_path / "given.jsonl").write_text(json.dumps(given) + "\n")
    folder = ResultsFolder(tmp_path / "results")
    assert folder.add_file(tmp_path / "given.jsonl") == 1
    (name,) = folder.records()
    assert "device-cuda-1_mixture-a-b" in name
    assert folder.records()[name] == given


def changed(**changes):
    return json.dumps({**record(cells(0, 1)[0]), **changes})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: no experiment is described here"),
        ('"text"', "line 2: no experiment is described here"),
        (changed(kind="Nothing"), "line 2: no experiment is described here .*'Nothing'"),
        (changed(settings={"task": "glue/rte", "colour": 1, "options": {}}), "line 2: .*colour"),
        (changed(settings={"task": "glue/rte"}), "line 2: .*options"),
        (json.dumps({**Cell("glue/rte").description, "test": [1]}), "line 2: the record of .* lacks 'metric'"),
        (changed(settings={"task": 5, "options": {}}), "line 2: 'task' in the settings of a record"),
        (changed(settings={"task": "glue/rte", "seed": "0", "options": {}}), "line 2: 'seed' in the settings of"),
        (changed(test=None), "line 2: 'test' of the record of rte_.* is not as it was written"),
        (changed(dev=[]), "line 2: 'dev' of the record of rte_"),
        (changed(dev=[0.5, "0.5"]), "line 2: 'dev' of .*1: Input should be a valid number"),
        (changed(avg=float("nan")), "line 2: 'avg' of the record of rte_"),
        (changed(exit_parameters=[8.5]), "line 2: 'exit_parameters' of the record of rte_"),
        (changed(machine="here"), "line 2: 'machine' of the record of rte_"),
    ],
)
def test_lines_that_are_no_records_are_named_and_nothing_is_added(tmp_path, line, message):
    path = tmp_path / "given.jsonl"
    path.write_text(f"{changed()}\n{line}\n")
    folder = ResultsFolder(tmp_path / "results")
    with pytest.raises(LecoError, match=message):
        folder.add_file(path)
    assert not list((tmp_path / "results").glob("*.jsonl"))


def test_files_that_cannot_be_read_are_named(tmp_path):
    folder = ResultsFolder(tmp_path)
    with pytest.raises(LecoError, match=r"none\.jsonl' cannot be read"):
        folder.add_file(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe{")
    with pytest.raises(LecoError, match=r"bytes\.jsonl' is not in UTF-8"):
        folder.records()


def test_separators_of_unicode_do_not_end_a_line(tmp_path):
    cell = Cell("glue/rte", model="a\u2028b")
    folder = ResultsFolder(tmp_path)
    folder.append("table2", {cell: record(cell)})
    assert cell in folder


def test_the_device_is_that_of_the_option():
    assert device_name("cpu") == "cpu"
    on_processor = Cell("glue/rte", options=(("device", "cpu"),))
    assert record(on_processor)["machine"]["device"] == "cpu"
    with pytest.raises(LecoError, match="'cuda:99' is not there"):
        record(Cell("glue/rte", options=(("device", "cuda:99"),)))


@pytest.mark.parametrize("there", [True, False])
def test_the_precision_is_what_the_device_had(monkeypatch, there):
    monkeypatch.setattr("leco.reproduction.experiment.has_bf16", lambda device: there)
    cell = Cell("glue/rte", options=(("bf16", True),))
    assert record(cell)["machine"]["precision"] == ("bfloat16" if there else "float32")
    assert record(Cell("glue/rte", options=(("bf16", False),)))["machine"]["precision"] == "float32"


def test_records_do_not_say_where_a_model_lay(tmp_path):
    cell = Cell("glue/rte", model=str(tmp_path / "Tiny"))
    elsewhere, folder = ResultsFolder(tmp_path / "elsewhere"), ResultsFolder(tmp_path / "here")
    given = {**record(cell), **cell.description}  # as another program may write it
    (tmp_path / "given.jsonl").write_text(json.dumps(given) + "\n")
    elsewhere.append("table2", {cell: record(cell)})
    folder.add_file(tmp_path / "given.jsonl")
    for one in (elsewhere, folder):
        assert one[cell]["settings"]["model"] == "Tiny"
        assert not any(str(tmp_path) in path.read_text() for path in one.root.glob("*.jsonl"))
