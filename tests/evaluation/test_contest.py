"""The contest of criteria: who takes part, who wins, and what is said of it."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from evaluation.outputs import LAYERS, TASK, stored
from leco import LecoError
from leco.criteria import DOUBTS, EVIDENCE, Cobee, Entropy, MaxProbability, Static, Task
from leco.evaluation.contest import hold_contest, kinds_named, read_contest, simplicity
from leco.evaluation.scores import choose_setting

EVERY = [kind for kind in kinds_named("auto") if TASK.problem_type in kind.problem_types]


def outputs(*scores, labels):
    """Stored outputs of which the exits' scores [M, N, K] are given."""
    dev = stored()
    split = replace(dev.split, texts=["a text"] * len(labels), labels=np.asarray(labels))
    size = len(scores), len(labels)
    observed = {DOUBTS: np.zeros(size), EVIDENCE: np.zeros((*size, 2))}
    return replace(dev, scores=np.asarray(scores, np.float32), split=split, observed=observed)


def one_sure_layer(sure_from):
    """Exits that guess before a layer, equally sure everywhere, and know from it on: no criterion beats that layer."""
    labels = np.random.default_rng(0).integers(0, 3, 300)
    guesses = np.random.default_rng(1).integers(0, 3, 300)
    answers = [labels if layer >= sure_from else guesses for layer in range(1, LAYERS + 1)]
    return outputs(*(0.05 + 0.85 * np.eye(3)[answer] for answer in answers), labels=labels)


def half_easy():
    """The first exit is sure of half the texts, and right; of the others only the last is."""
    labels = np.random.default_rng(0).integers(0, 3, 400)
    easy = (np.arange(400) % 2 == 0)[:, None]
    unsure = np.full((400, 3), 1 / 3) + np.eye(3)[np.random.default_rng(1).integers(0, 3, 400)] * 0.01
    known = 0.05 + 0.85 * np.eye(3)[labels]
    early = np.where(easy, known, unsure / unsure.sum(1, keepdims=True))
    return outputs(*[early] * (LAYERS - 1), known, labels=labels)


def test_the_setting_of_each_is_the_one_that_dev_chooses():
    dev = stored()
    found = hold_contest(EVERY, dev, TASK, max_drop=0.02)
    assert {entry.criterion["name"] for entry in found.entries} == {kind.name for kind in EVERY}
    for kind in EVERY:
        entry = next(entry for entry in found.entries if entry.criterion["name"] == kind.name)
        chosen = choose_setting(kind, dev, TASK, 0.02)
        assert entry.criterion == chosen.criterion.to_dict()
        assert entry.score == chosen.score >= found.full_depth_score - 0.02 - 1e-9
        assert entry.layers_saved == pytest.approx(1 - chosen.mean_exit_layer / LAYERS)
    saved = [entry.layers_saved for entry in found.entries]
    assert saved == sorted(saved, reverse=True)
    assert found.entries[0].behind == 0
    assert all(0 <= entry.behind <= 1 for entry in found.entries)


def test_what_depends_on_the_text_wins_where_texts_differ():
    found = hold_contest(EVERY, half_easy(), TASK, max_drop=0.0)
    assert found.saved == pytest.approx(0.5 * (LAYERS - 1) / LAYERS)
    assert simplicity(type(found.criterion), TASK) == 1
    assert found.fixed_layer is None
    assert found.verdict() == ""


def test_where_a_fixed_layer_does_as_well_it_wins_and_that_is_said():
    found = hold_contest(EVERY, one_sure_layer(4), TASK, max_drop=0.0)
    assert found.criterion == Static(4)
    assert found.fixed_layer == 4
    assert "first 4 of 6 layers is as good" in found.verdict()
    assert "leco train --layers 4" in found.verdict()


def test_a_named_criterion_wins_but_is_compared_with_a_fixed_layer():
    found = hold_contest([Cobee], one_sure_layer(3), TASK, max_drop=0.0)
    assert isinstance(found.criterion, Cobee)
    assert {entry.criterion["name"] for entry in found.entries} == {"static", "cobee"}
    assert found.fixed_layer == 3


def test_a_named_criterion_that_saves_nothing_is_told_of_the_fixed_layer_that_does():
    """Both exits are perfect, but the first that patience could leave by is the last."""
    labels = np.random.default_rng(0).integers(0, 3, 200)
    known = 0.05 + 0.85 * np.eye(3)[labels]
    found = hold_contest([Cobee], outputs(known, known, labels=labels), Task(3, 2), max_drop=0.01)
    assert (found.saved, found.fixed_layer) == (0, 1)
    said = "A model cut to its first of 2 layers is as good and as fast on dev; 'leco train --layers 1' makes it."
    assert found.verdict() == said


def test_a_fixed_layer_that_saves_less_is_not_called_as_fast():
    found = hold_contest([Cobee], one_sure_layer(3), TASK, max_drop=0.0)
    fixed = next(entry for entry in found.entries if entry.criterion["name"] == "static")
    ahead = next(replace(entry, layers_saved=0.6) for entry in found.entries if entry is not fixed)
    slower = replace(found, entries=[ahead, fixed], winner=ahead.criterion)
    assert "first 3 of 6 layers is as good and not surely slower on 300 dev texts; 'leco" in slower.verdict()


def test_where_nothing_is_gained_that_is_said():
    found = hold_contest(EVERY, one_sure_layer(LAYERS), TASK, max_drop=0.0)
    assert found.saved == 0
    assert "Early exiting gains nothing" in found.verdict()


def test_where_too_few_texts_decide_that_is_said():
    found = hold_contest(EVERY, one_sure_layer(LAYERS), TASK, max_drop=0.0)
    ahead = replace(found.entries[0], criterion={"name": "entropy", "tau": 0.5}, layers_saved=0.3)
    unsure = replace(found, entries=[ahead, *found.entries])
    assert "On 300 dev texts no criterion is surely ahead of full depth" in unsure.verdict()


def test_a_lead_of_a_few_texts_does_not_decide():
    dev = stored()
    found = hold_contest([Entropy, MaxProbability, Cobee], dev, TASK, max_drop=0.01)
    names = [
        entry.criterion["name"] for entry in found.entries if entry.behind < 0.8 and entry.criterion["name"] != "static"
    ]
    assert len(names) > 1, "some are level here"
    level = [kind for kind in (Entropy, MaxProbability, Cobee) if kind.name in names]
    fewest = min(simplicity(kind, TASK) for kind in level)
    assert simplicity(type(found.criterion), TASK) == fewest


def test_simplicity():
    assert [simplicity(kind, TASK) for kind in (Static, Entropy, MaxProbability, Cobee)] == [0, 1, 1, 2]


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows(rows):
    dev = stored()
    observed = {what: values[:, :rows] for what, values in dev.observed.items()}
    few = replace(dev, scores=dev.scores[:, :rows], observed=observed, split=dev.split.take(range(rows)))
    assert hold_contest(EVERY, few, TASK, max_drop=0.01).rows == rows


def test_it_is_the_same_each_time():
    assert hold_contest(EVERY, stored(), TASK, 0.01) == hold_contest(EVERY, stored(), TASK, 0.01)


def test_it_is_read_as_it_was_written(tmp_path):
    found = hold_contest([Entropy], stored(), TASK, max_drop=0.01)
    path = tmp_path / "contest.json"
    path.write_text(json.dumps(asdict(found)))
    assert read_contest(path) == found
    path.write_text(json.dumps({**asdict(found), "winner": {"name": "cobee"}}))
    with pytest.raises(LecoError, match=r"contest.json' is not as it was written \(its winner did not take part"):
        read_contest(path)
