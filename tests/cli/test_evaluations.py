"""`leco evaluate` and `leco report`: what is chosen, what is written where, and users' mistakes."""

import csv
import json
import shutil

import pytest

from leco.criteria import CRITERIA

FAST = ["--repeats", 1, "--timed-texts", 2]
DEPLOYABLE = {name for name, criterion in CRITERIA.items() if criterion.deployable}


@pytest.fixture
def model(fitted, tmp_path):
    """A copy of the fitted model, to be written into."""
    return shutil.copytree(fitted, tmp_path / "model")


def test_evaluate_writes_the_curves_of_all_criteria(leco, fitted, reviews, tmp_path):
    result = leco("evaluate", fitted, "--data", reviews, *FAST, "--output", tmp_path / "new", "--json")
    assert result.code == 0, result.err
    assert "speedups on 2 texts takes about" in result.err
    found = json.loads(result.out)
    assert found == json.loads((tmp_path / "new" / "evaluation.json").read_text())
    assert set(found["curves"]) == {*DEPLOYABLE, "oracle"}
    with (tmp_path / "new" / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(curve["points"]) for curve in found["curves"].values())
    assert all(float(row["speedup"]) < 1 for row in rows)
    assert (tmp_path / "new" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "new" / "curves.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("flags", "answering", "curves"),
    [
        (["patience,cobee:tau=0.5,patience=1,static"], "patience", {"patience", "cobee", "static"}),
        (["cobee:tau=0.5,patience=1", "entropy"], {"name": "cobee", "tau": 0.5, "patience": 1}, {"cobee", "entropy"}),
        (["entropy:normalized=true"], {"name": "entropy", "tau": 0.1, "normalized": True}, {"entropy"}),
    ],
)
def test_criteria_are_chosen_by_name_and_the_first_answers(leco, fitted, reviews, flags, answering, curves):
    criteria = [word for flag in flags for word in ("--criterion", flag)]
    result = leco("evaluate", fitted, "--data", reviews, *FAST, *criteria, "--json")
    found = json.loads(result.out)
    assert set(found["curves"]) == {*curves, "oracle"}
    assert answering in (found["criterion"], found["criterion"]["name"])


def test_evaluate_ends_with_the_areas_and_the_next_commands(leco, fitted, reviews):
    result = leco("evaluate", fitted, "--data", reviews, *FAST, "--criterion", "f-pabee,static")
    assert result.code == 0, result.err
    assert all(word in result.out for word in ("speedups", "mean score", "oracle"))
    assert "f-pabee(tau=" in result.out
    assert f"leco report {fitted} --data {reviews}" in result.out


def test_report_evaluates_what_is_missing_and_keeps_it(leco, model, reviews, tmp_path):
    result = leco("report", model, "--data", reviews, *FAST, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == {"report": str(model / "report.html"), "missing": []}
    page = (model / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "How the search found them" in page
    again = leco("report", model, "--data", reviews, *FAST, "--output", tmp_path / "new" / "page.html")
    assert "takes about" not in again.err, "it is not measured again"
    assert (tmp_path / "new" / "page.html").is_file()


def test_report_without_data_says_what_is_missing(leco, model, reviews):
    result = leco("report", model)
    assert (result.code, "curves of all criteria" in result.out) == (0, True)
    assert f"leco report {model} --data {reviews}" in result.out
    (model / "results.json").unlink()
    assert f"leco report {model} --data {reviews}" in leco("report", model).out, "what it was trained on"
    (model / "evaluation.json").write_text("{}")
    broken = leco("report", model)
    assert (broken.code, "is not as it was written" in broken.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("evaluate MODEL --data DATA --criterion static,kobee", "--criterion: Unknown exit criterion 'kobee'. Did you"),
        (
            "evaluate MODEL --data DATA --criterion cobee:tau=0.1,patience=0",
            "--criterion: patience must be at least 1",
        ),
        ("evaluate MODEL --data DATA --criterion static,oracle", "--criterion: 'oracle' needs the labels"),
        ("evaluate MODEL --data DATA --criterion static:layer=7", "--criterion: layer must be at most 3"),
        ("evaluate MODEL --data DATA --output DATA", "cannot be written to (File exists). Give another folder."),
        ("evaluate MODEL --data DATA --output DATA/x", "cannot be written to (Not a directory)"),
        ("evaluate MODEL --data DATA --timed-texts 0", "--timed-texts must be at least 1, not 0."),
        ("evaluate missing --data DATA", "The model folder 'missing' does not exist. 'leco fit' makes one."),
        ("report missing", "The model folder 'missing' does not exist. 'leco fit' makes one."),
        ("report ENCODER", "holds a model of type 'bert', not a multi-exit one."),
        ("report MODEL --output ENCODER", "is a folder. Give a file."),
        ("report MODEL --output DATA/x.html", "reviews.csv' cannot be written to (File exists)"),
        ("report MODEL --data missing.csv", "--data: The file 'missing.csv' does not exist."),
    ],
)
def test_mistakes(leco, fitted, reviews, encoder_folder, arguments, message):
    names = {"MODEL": fitted, "DATA": reviews, "ENCODER": encoder_folder}
    for name, path in names.items():
        arguments = arguments.replace(name, str(path))
    result = leco(*arguments.split())
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_criterion_that_is_not_defined_for_the_task(leco, encoder_folder, tmp_path):
    table = tmp_path / "x.csv"
    table.write_text("text,label\n" + "\n".join(f"a film {'that ' * (row % 5)}is good,{row / 7}" for row in range(60)))
    flags = ["--exits", "linear", "--epochs", 1, "--output", tmp_path / "model"]
    assert leco("train", "--model", encoder_folder, "--data", table, *flags).code == 0
    result = leco("evaluate", tmp_path / "model", "--data", table, "--criterion", "cobee,entropy")
    assert result.code == 2
    assert "--criterion: The exit criterion 'entropy' is not defined for the problem type 'regression'" in result.err
