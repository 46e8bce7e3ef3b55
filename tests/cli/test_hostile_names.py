"""Names of files, columns and labels that look like markup or like orders to a terminal are shown as they are."""

import json
import os
import re
import shutil

import pytest

from leco.card import model_card
from leco.display import in_markdown, visible
from leco.files import read_json
from leco.model import load_model
from offline import rows, write_csv

NAMES = [
    "x[/foo]",
    "[red]x[/red]",
    ":smile:",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "a\u2028b",
    "a\nerror: b",
    "<b>&amp;</b>",
    "{{ 7 * 7 }}",
    "$x^$ %s {0}",
]
FAST = ["--repeats", "1", "--timed-texts", "1"]


def shown_only(text):
    """Whether a terminal would obey nothing in the text but the ends of its lines."""
    return visible(text, lines=True) == text


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_data_file(leco, fitted, reviews, tmp_path, name):
    """Evaluated, and shown in a report."""
    data = tmp_path / "data" / f"{name}.csv"
    data.parent.mkdir(parents=True)
    shutil.copy(reviews, data)
    model = tmp_path / "model"
    shutil.copytree(fitted, model)
    evaluated = leco("evaluate", model, "--data", data, "--criterion", "entropy", "--output", model, *FAST)
    assert evaluated.code == 0, evaluated.err
    assert visible(data.name) in evaluated.out
    assert "error: b" not in evaluated.out.splitlines()
    as_json = leco("evaluate", model, "--data", data, "--criterion", "entropy", "--json", *FAST)
    assert json.loads(as_json.out)["data"] == str(data)
    report = leco("report", model)
    assert report.code == 0, report.err
    page = (model / "report.html").read_text(encoding="utf-8")
    assert all(map(shown_only, (evaluated.out, evaluated.err, as_json.out, report.out, page)))
    assert not re.search(r"<b>(?![01]\.)", page)  # but for the areas
    assert "49.csv" not in page


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_columns_and_labels(leco, encoder_folder, tmp_path, name):
    """Learned, evaluated, predicted and shown."""
    table = [(text, name if label == "positive" else "plain") for text, label in rows(60)]
    write_csv(tmp_path / "x.csv", table, (name, "the label"))
    flags = ["--text-column", name.strip(), "--label-column", "the label", "--exits", "linear", "--epochs", "1"]
    flags += ["--task", "classification"]  # some of the names might be several labels
    out = tmp_path / "model"
    fitted = leco("fit", "--model", encoder_folder, "--data", tmp_path / "x.csv", "--output", out, *flags, *FAST)
    assert fitted.code == 0, fitted.err
    assert name in load_model(out).config.label_names
    report = leco("report", out, "--data", tmp_path / "x.csv", *flags[:4], *FAST)
    assert report.code == 0, report.err
    predicted = leco("predict", out, tmp_path / "x.csv", "--text-column", name)
    assert {json.loads(line)["label"] for line in predicted.out.splitlines()} <= {name, "plain"}
    page = (out / "report.html").read_text(encoding="utf-8")
    card = (out / "README.md").read_text(encoding="utf-8")
    said = (fitted.out, fitted.err, report.out, report.err, predicted.out, predicted.err, page, card)
    assert all(map(shown_only, said))
    wrong = leco("predict", out, tmp_path / "x.csv", "--text-column", "no such column")
    assert wrong.code == 2
    assert visible(name) in wrong.err


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_card(fitted, name):
    model, training = load_model(fitted), read_json(fitted / "training.json")
    results = {**read_json(fitted / "results.json"), "data": name}
    card = model_card(model, f"folder/{name}".replace("\n", ""), {"group": {"setting": name}}, training, results)
    assert shown_only(card)
    assert in_markdown(name) in card
    assert ("<b>" in card, card.count("# ")) == (False, 3)


@pytest.mark.parametrize("arguments", ["report {}", "predict {}", "evaluate {} --data x.csv", "search --model {}"])
def test_a_folder_that_is_not_there(leco, arguments):
    for name in NAMES:
        result = leco(*(argument.format(f"./{name}") for argument in arguments.split()))
        assert result.code == 2
        assert shown_only(result.err)
        assert len(result.err.splitlines()) == 1


def test_an_argument_that_is_no_text(leco):
    result = leco("predict", os.fsdecode(b"model-\xff"))
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: The argument 'model-\\udcff' is not UTF-8. Rename what it names.\n"


def test_a_long_name_is_short_on_screen(leco, tmp_path, fitted):
    write_csv(tmp_path / "x.csv", [(text, "y" * 3000) for text, _ in rows(60)])
    result = leco("evaluate", fitted, "--data", tmp_path / "x.csv", *FAST)
    assert result.code == 2
    assert "the model has no label 'yyy" in result.err
    assert len(result.err) < 600
