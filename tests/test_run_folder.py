"""Whose folder it is."""

import json

import numpy as np
import pytest

from leco import LecoError
from leco.data import Split, TextData
from leco.run_folder import claim, fingerprint

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


def test_the_fingerprint_sees_texts_labels_and_order():
    def data(texts, labels):
        split = Split(texts, np.array(labels))
        return TextData("x", split, split, split, ("a", "b"), "single_label_classification", "accuracy", pair=False)

    prints = [fingerprint(data(*given)) for given in [(["s", "t"], [0, 1]), (["t", "s"], [0, 1]), (["s", "t"], [1, 1])]]
    assert len(set(prints)) == 3
    assert fingerprint(data(["s", "t"], [0, 1])) == prints[0]


def test_a_folder_of_a_version_that_knew_fewer_settings_goes_on_where_they_are_off(tmp_path):
    claim(tmp_path, {"epochs": 3})
    (tmp_path / "results.json").write_text("{}")
    claim(tmp_path, {"epochs": 3, "prune_exits": False, "cost_penalty": 0.0, "exit_layers": None})
    with pytest.raises(LecoError, match=r"cost_penalty: None there, 0\.1 now"):
        claim(tmp_path, {"epochs": 3, "prune_exits": False, "cost_penalty": 0.1, "exit_layers": None})
