"""Whose folder it is."""

import json
from dataclasses import replace

import numpy as np
import pytest

from leco import LecoError
from leco.data import Split, TextData
from leco.provenance import Provenance
from leco.run_folder import claim, fingerprint
from leco.settings import SourceOptions

SETTINGS = {"seed": 0, "model": "bert", "pair": ("a", None)}


def settings_in(folder):
    return json.loads((folder / "run.json").read_text())["settings"]


def test_a_run_continues_in_its_folder_and_another_one_is_refused(tmp_path):
    claim(tmp_path / "out", SETTINGS)
    (tmp_path / "out" / "work").mkdir()
    (tmp_path / "out" / "work" / "search.pt").touch()
    claim(tmp_path / "out", SETTINGS)
    for other, named in [({"seed": 1}, "seed: 0 there, 1 now"), ({"epochs": 2}, "epochs: None there, 2 now")]:
        with pytest.raises(LecoError, match=named):
            claim(tmp_path / "out", {**SETTINGS, **other})
    assert settings_in(tmp_path / "out")["seed"] == 0


def test_a_folder_in_which_nothing_was_done_is_free(tmp_path):
    (tmp_path / ".hidden").touch()
    claim(tmp_path, SETTINGS)
    (tmp_path / "work").mkdir()
    claim(tmp_path, {**SETTINGS, "seed": 1})
    assert settings_in(tmp_path)["seed"] == 1


@pytest.mark.parametrize("content", ['{"name": "of another program"}', "[]", '{"settings": 3}'])
def test_a_foreign_run_file_is_no_claim(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(LecoError, match="holds something else"):
        claim(tmp_path, SETTINGS)
    assert (tmp_path / "run.json").read_text() == content


def test_a_file_or_another_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    for output in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(LecoError, match=r"holds something else\. Give a new folder\."):
            claim(output, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    def refuse(path, value):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("leco.run_folder.write_json", refuse)
    with pytest.raises(LecoError, match=r"cannot be written to \(Permission denied\). Give another folder."):
        claim(tmp_path / "out", SETTINGS)


def data(texts, labels, calibration=None):
    """Data whose splits are alike, with texts for calibration."""
    split = Split(texts, np.array(labels))
    made = TextData("x", split, split, split, ("a", "b"), "single_label_classification", "accuracy", pair=False)
    return made if calibration is None else replace(made, calibration=Split(calibration, np.zeros(len(calibration))))


def test_the_fingerprint_sees_texts_labels_and_order():
    prints = [fingerprint(data(*given)) for given in [(["s", "t"], [0, 1]), (["t", "s"], [0, 1]), (["s", "t"], [1, 1])]]
    assert len(set(prints)) == 3
    assert fingerprint(data(["s", "t"], [0, 1])) == prints[0]


def test_a_folder_of_a_version_that_knew_fewer_settings_goes_on_where_they_are_off(tmp_path):
    claim(tmp_path, {"epochs": 3})
    (tmp_path / "results.json").write_text("{}")
    claim(tmp_path, {"epochs": 3, "prune_exits": False, "cost_penalty": 0.0, "exit_layers": None})
    with pytest.raises(LecoError, match=r"cost_penalty: None there, 0\.1 now"):
        claim(tmp_path, {"epochs": 3, "prune_exits": False, "cost_penalty": 0.1, "exit_layers": None})


def test_calibration_rows_are_the_runs_too():
    without, one, other = (fingerprint(data(["s", "t"], [0, 1], rows)) for rows in (None, ["u"], ["v"]))
    assert len({without, one, other}) == 3
    assert without == "9300c6ccd7ea2265", "as it was before calibration rows were part of it"


@pytest.mark.parametrize("rows", [(None, ["u"]), (["u"], ["v"]), (["u"], None)])
def test_other_calibration_rows_are_another_run(tmp_path, rows):
    before, after = ({"data_hash": fingerprint(data(["s"], [0], part))} for part in rows)
    claim(tmp_path, before)
    says(tmp_path, calibration=None if rows[0] is None else data(["s"], [0], rows[0]).calibration)
    claim(tmp_path, before)
    with pytest.raises(LecoError, match=r"holds a run with other settings \(data_hash: "):
        claim(tmp_path, after)


def says(folder, calibration=None, cut=0):
    """Have a model in the folder say which calibration rows it had: those of a part, or so many cut from others."""
    hashes = {} if calibration is None else {"calibration": calibration.fingerprint}
    trained_on = Provenance("x", False, "accuracy", hashes, SourceOptions(), cut).to_dict()
    (folder / "config.json").write_text(json.dumps({"trained_on": trained_on}))


def test_a_folder_of_a_version_that_left_calibration_rows_out_goes_on(tmp_path):
    now = data(["s"], [0], ["u"])
    claim(tmp_path, {"data_hash": fingerprint(data(["s"], [0]))})
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "search.pt").touch()
    claim(tmp_path, {"data_hash": fingerprint(now)})  # before the training is done no calibration rows were used
    for model in ({"calibration": now.calibration}, {"cut": 1}):
        says(tmp_path, **model)
        claim(tmp_path, {"data_hash": fingerprint(now)})
    with pytest.raises(LecoError, match="data_hash"):
        claim(tmp_path, {"data_hash": fingerprint(data(["t"], [0], ["u"]))})
    says(tmp_path, calibration=data(["s"], [0], ["v"]).calibration)
    with pytest.raises(LecoError, match="data_hash"):
        claim(tmp_path, {"data_hash": fingerprint(now)})
