"""Figure 2 from stored outputs: all criteria that these allow, as the page shows them."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from evaluation.outputs import LAYERS, TASK, stored
from leco.criteria import CRITERIA, EVIDENCE, Cobee
from leco.evaluation.curve import curve, operating_points
from leco.files import write_json
from leco.reproduction import ResultsFolder
from studies import criterion_curves, standardized

CELL = SimpleNamespace(task="glue/sst-2", options=(("train_rows", 3000),))
DEV, TEST = stored(seed=0), stored(seed=1)


@pytest.fixture
def found(monkeypatch):
    """What is measured of a cell with these outputs."""
    monkeypatch.setattr(criterion_curves, "stored_outputs", lambda *_: (DEV, TEST))
    return criterion_curves.measured(CELL, None)


def test_every_criterion_has_its_curve(found):
    usable = {name for name, kind in CRITERIA.items() if kind.deployable}
    assert set(found["curves"]) == {*usable, "oracle"}
    assert (found["task"], found["layers"], found["rows"]) == ("sst-2", LAYERS, len(TEST.split))
    expected = curve(operating_points(Cobee, DEV, TEST, TASK), TEST, TASK)
    assert criterion_curves.curves_of(found)["cobee"].points == expected
    assert found["curves"]["oracle"]["area"] == max(one["area"] for one in found["curves"].values())


def test_criteria_that_need_what_was_not_stored_are_left_out(monkeypatch):
    without = [type(one)(one.scores, one.split, one.metric, one.problem_type) for one in (DEV, TEST)]
    monkeypatch.setattr(criterion_curves, "stored_outputs", lambda *_: without)
    names = set(criterion_curves.measured(CELL, None)["curves"])
    needing = {name for name, kind in CRITERIA.items() if kind.deployable and kind.observes}
    assert EVIDENCE in {CRITERIA[name].observes for name in needing}
    assert not names & needing
    assert {"beem", "ensemble", "cobee", "oracle"} <= names


def test_the_page_shows_them(found, monkeypatch, tmp_path):
    page = tmp_path / "results.md"
    page.write_text(f"before\n{criterion_curves.BEGIN}\n{criterion_curves.END}\nafter\n", encoding="utf-8")
    for name, value in {"PAGE": page, "ASSETS": tmp_path, "result_path": lambda name: tmp_path / "found.json"}.items():
        monkeypatch.setattr(criterion_curves, name, value)
    criterion_curves.render()
    assert "Not run yet" in page.read_text(encoding="utf-8")
    machine = dict.fromkeys(("date", "processor", "threads", "python", "torch", "transformers"), "x")
    monkeypatch.setattr(
        criterion_curves, "read", lambda name: {"command": "x", "machine": machine, "rows": [found, found]}
    )
    write_json(tmp_path / "found.json", {})
    criterion_curves.render()
    text = page.read_text(encoding="utf-8")
    best = max((one["area"], name) for name, one in found["curves"].items() if name != "oracle")
    assert f"| {best[1]} | **{100 * best[0]:.1f}** | **{100 * best[0]:.1f}** |" in text
    assert "| criterion | sst-2 with 3,000 training rows, 6 layers |" in text
    assert "assets/criteria_sst-2_6.svg" in text
    assert "beem" in (tmp_path / "criteria_sst-2_6.svg").read_text(encoding="utf-8")


def test_cells_of_fewer_rows_stand_in(monkeypatch, tmp_path):
    def names():
        found = standardized.linear_with_outputs(Path("models"), ["glue/sst-2", "glue/mrpc"])
        return [(one.model, one.task, dict(one.options).get("train_rows")) for one in found]

    folder = ResultsFolder(tmp_path)
    monkeypatch.setattr(standardized, "RESULTS", folder)
    assert names() == []
    large = partial(standardized.cell, Path("models"), standardized.LARGE, exits="linear")
    fewer, every = large("glue/mrpc", standardized.ON, ("train_rows", 1500)), large("glue/mrpc", standardized.ON)
    for one in (large("glue/sst-2", standardized.ON), fewer, every):
        folder.outputs(one).parent.mkdir(parents=True, exist_ok=True)
        folder.outputs(one).touch()
        assert (one.model, one.task, dict(one.options).get("train_rows")) in names()
    assert names() == [(every.model, "glue/sst-2", 3000), (every.model, "glue/mrpc", None)]
