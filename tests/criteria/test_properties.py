"""The direction of each numeric setting, and what is special to some criteria."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from criteria.cases import examples, random_scores, settings_of, simulate, stored_exits
from leco.criteria import CRITERIA, Cobee, Static, Task
from leco.criteria.counting import Comparing
from leco.options import setting_names

EARLIER, LATER = -1, 1
LARGER = {
    "tau": {"cobee": EARLIER, "entropy": EARLIER, "f-pabee": EARLIER, "pcee": EARLIER, "lte": EARLIER, "cap": EARLIER}
    | {"max-probability": LATER, "margin": LATER, "voting": LATER, "ensemble": LATER},
    "alpha": {"beem": LATER, "cap": LATER},
    "theta": {"patience": EARLIER},
    "patience": {"cobee": LATER, "patience": LATER, "f-pabee": LATER, "pcee": LATER},
    "rho": {"voting": LATER},
}
"""Whether a larger value of a setting makes rows leave earlier or later, if it changes anything."""


@pytest.mark.parametrize(("setting", "name"), [(setting, name) for setting in LARGER for name in LARGER[setting]])
@examples
@given(data=st.data())
def test_a_larger_setting_moves_exits_in_one_direction(setting, name, data):
    problem_type = data.draw(st.sampled_from(sorted(CRITERIA[name].problem_types)))
    task, scores, labels = data.draw(stored_exits(problem_type))
    criterion = data.draw(st.sampled_from(settings_of(name, task, labels)))
    (field,) = (field for field in fields(criterion) if field.name == setting)
    values = st.integers(1, 8) if setting == "patience" else st.floats(1e-6, field.metadata["maximum"] or 5.0)
    smaller, larger = sorted(data.draw(st.tuples(values, values)))
    common = {key: getattr(criterion, key) for key in setting_names(criterion)}
    of_smaller = simulate(CRITERIA[name](**common | {setting: smaller}), scores, task)
    of_larger = simulate(CRITERIA[name](**common | {setting: larger}), scores, task)
    assert (LARGER[setting][name] * (of_larger - of_smaller) >= 0).all()


def test_each_numeric_setting_has_a_direction():
    for name, cls in CRITERIA.items():
        for field in fields(cls):
            if type(field.default) in (int, float) and (name, field.name) != ("static", "layer"):
                assert name in LARGER[field.name]


@pytest.mark.parametrize("layer", range(7))
def test_static_leaves_at_its_layer_and_needs_no_other_exit(layer):
    task = Task(2, 6)
    criterion = Static(layer)
    assert set(simulate(criterion, random_scores(task, 5), task)) == {layer or 6}
    assert [other for other in range(1, 7) if criterion.uses(other)] == ([layer] if layer else [])


def test_comparing_criteria_leave_at_patience_plus_one_and_not_before():
    task = Task(2, 6)
    certain = np.tile(np.array([0.0, 1.0]), (6, 1, 1))
    for cls in (cls for cls in CRITERIA.values() if "patience" in setting_names(cls)):
        for patience in range(1, 8):
            earliest = patience + issubclass(cls, Comparing)
            assert simulate(cls(patience=patience), certain, task) == min(earliest, 6)


def test_a_threshold_itself_does_not_agree():
    exits = np.array([[[0.25, 0.75]], [[0.5, 0.5]], [[0.5, 0.5]]])
    assert simulate(Cobee(tau=0.25), exits, Task(2, 3)) == 3
    assert simulate(Cobee(tau=0.26), exits, Task(2, 3)) == 2
