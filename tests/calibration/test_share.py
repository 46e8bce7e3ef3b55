"""Rows that are set aside for calibration: which, how many, and that they are found again."""

import json

import pytest

import leco
from leco import LecoError, MultiExitModel
from leco.data import load_data
from offline import SHORT, rows, write_csv

OTHERS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file with rows enough to certify something."""
    return write_csv(tmp_path_factory.mktemp("large") / "reviews.csv", rows(1200))


def texts(split):
    return list(split.texts)


def test_a_tenth_where_that_is_enough_and_dev_and_test_stay_the_same(large, reviews):
    usual, cut = load_data(large), load_data(large, calibration_share=None)
    assert usual.calibration is None
    assert (len(cut.train), len(cut.dev), len(cut.test), len(cut.calibration)) == (840, 120, 120, 120)
    assert [texts(getattr(cut, part)) for part in ("dev", "test")] == [texts(usual.dev), texts(usual.test)]
    assert texts(cut.calibration) != texts(cut.dev)
    assert sorted(texts(cut.train) + texts(cut.calibration)) == sorted(texts(usual.train))
    assert load_data(reviews, calibration_share=None).calibration is None
    assert load_data(large, calibration_share=0).calibration is None
    assert len(load_data(reviews, calibration_share=0.25).calibration) == 60


def test_a_file_of_that_name_in_a_folder(tmp_path):
    for seed, part in enumerate((*OTHERS, "calibration")):
        write_csv(tmp_path / f"{part}.csv", rows(30 + seed, seed))
    data = load_data(tmp_path, calibration_share=None)
    assert [len(getattr(data, part)) for part in (*OTHERS, "calibration")] == [30, 31, 32, 33]
    assert set(data.hashes) == {*OTHERS, "calibration"}
    (tmp_path / "calibration.csv").unlink()
    assert load_data(tmp_path, calibration_share=None).calibration is None
    assert len(load_data(tmp_path, calibration_share=0.5).calibration) == 15


def test_glue_keeps_its_splits_but_for_a_part_of_dev(glue_dir):
    usual = load_data("glue/rte", glue_dir=glue_dir)
    assert load_data("glue/rte", glue_dir=glue_dir, calibration_share=None).calibration is None
    cut = load_data("glue/rte", glue_dir=glue_dir, calibration_share=0.5)
    assert (texts(cut.train), texts(cut.test)) == (texts(usual.train), texts(usual.test))
    assert sorted(texts(cut.dev) + texts(cut.calibration)) == sorted(texts(usual.dev))
    assert len(cut.calibration) == round(len(usual.dev) / 2)


@pytest.mark.parametrize("share", [-0.1, 0.6, "much"])
def test_what_is_no_share_is_refused(encoder_folder, reviews, tmp_path, share):
    with pytest.raises(LecoError, match="calibration_share must be"):
        leco.fit(str(encoder_folder), str(reviews), tmp_path / "out", calibration_share=share)


def test_fit_says_what_its_choice_costs_and_the_rows_are_found_again(run, encoder_folder, large, tmp_path):
    folder = tmp_path / "model"
    fitted = run("fit", "--model", encoder_folder, "--data", large, "--output", folder, *SHORT, "--json")
    assert fitted.code == 0, fitted.err
    assert "Calibration: 120 rows are set aside" in fitted.err
    model = MultiExitModel.from_pretrained(folder)
    held = model.certificate
    aside = load_data(large, calibration_share=None).calibration
    assert json.loads(fitted.out)["certificate"] == held.to_dict()
    assert (held.rows, held.settings, held.exits) == (120, 1, model.criterion)
    assert held.fingerprint == aside.fingerprint
    assert held.bound >= 0.019
    assert held.sentence() in (folder / "README.md").read_text()
    again = run("calibrate", folder, "--data", large, "--max-drop", 0.05, "--json")
    assert json.loads(again.out)["fingerprint"] == aside.fingerprint
    assert run("verify", folder, "--data", large).code == 2  # the same rows again
    whole = run("evaluate", folder, "--data", large, "--repeats", 1, "--timed-texts", 1, "--json")
    assert json.loads(whole.out)["rows"] == 120


@pytest.fixture
def run(leco):
    """Runs a command line; `leco` is the package here."""
    return leco
