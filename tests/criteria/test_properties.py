"""What holds for every criterion: direction of its settings, independence of rows, the engine equals simulation."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from criteria.cases import (
    ON_PROBLEMS,
    doubts_of,
    examples,
    for_rows,
    random_scores,
    settings_of,
    simulate,
    stored_exits,
    variants,
)
from leco.criteria import CRITERIA, MULTI_LABEL, REGRESSION, Cobee, Oracle, Static, Task, select
from leco.criteria.counting import Comparing
from leco.options import setting_names
from leco.runtime.engine import decide, decide_batch

DEPLOYABLE = [(name, problem_type) for name, problem_type in ON_PROBLEMS if CRITERIA[name].deployable]

EARLIER, LATER = -1, 1
LARGER = {
    "tau": {"cobee": EARLIER, "entropy": EARLIER, "f-pabee": EARLIER, "pcee": EARLIER, "lte": EARLIER}
    | {"max-probability": LATER, "margin": LATER, "voting": LATER},
    "theta": {"patience": EARLIER},
    "patience": {"cobee": LATER, "patience": LATER, "f-pabee": LATER, "pcee": LATER},
    "rho": {"voting": LATER},
}
"""Whether a larger value of a setting makes rows leave earlier or later, if it changes anything."""


class StoredStages:
    """A model whose exits' outputs [M, N, K] are known; an encoding holds nothing but the number of its row."""

    def __init__(self, scores, task):
        self.stored, self.task, self.rows_run = scores, task, np.zeros(task.num_layers, int)

    def start(self, encodings):
        return np.array([encoding["input_ids"][0] for encoding in encodings])

    def advance(self, layer, batch):
        self.rows_run[layer - 1] += len(batch)
        return batch

    def scores(self, layer, batch):
        return self.stored[layer - 1, batch]

    def doubt(self, layer, batch):
        return doubts_of(self.stored[layer - 1, batch])

    def keep(self, batch, rows):
        return batch[rows]


def encodings(rows):
    """One for each row, of different lengths."""
    return [{"input_ids": [row] * (1 + row * 7 % 4)} for row in range(rows)]


@pytest.mark.parametrize(("name", "problem_type"), DEPLOYABLE)
@examples
@given(data=st.data())
def test_the_sweep_begins_with_full_depth_and_each_setting_has_its_direction(name, problem_type, data):
    task, scores, _ = data.draw(stored_exits(problem_type))
    sweep = CRITERIA[name].sweep(task)
    for criterion in variants(sweep[0]):
        assert (simulate(criterion, scores, task) == task.num_layers).all()
    index = data.draw(st.integers(0, len(sweep) - 1))
    before, after = sweep[max(index - 1, 0)], sweep[index]
    if sum(getattr(before, key) != getattr(after, key) for key in setting_names(after)) == 1:
        assert (simulate(after, scores, task) <= simulate(before, scores, task)).all()


@pytest.mark.parametrize(("name", "problem_type"), DEPLOYABLE)
def test_the_sweep_ends_as_early_as_can_be(name, problem_type):
    task = Task(1 if problem_type == REGRESSION else 3, 6, problem_type)
    last = CRITERIA[name].sweep(task)[-1]
    exit_layers = simulate(last, random_scores(task, 100, change=0.01), task)
    assert (exit_layers == (2 if issubclass(CRITERIA[name], Comparing) else 1)).mean() > 0.9


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


@pytest.mark.parametrize(("name", "problem_type"), ON_PROBLEMS)
@examples
@given(data=st.data())
def test_rows_do_not_depend_on_each_other(name, problem_type, data):
    task, scores, labels = data.draw(stored_exits(problem_type))
    criterion = data.draw(st.sampled_from(settings_of(name, task, labels)))
    together = simulate(criterion, scores, task)
    order = np.array(data.draw(st.permutations(range(len(labels)))))
    np.testing.assert_array_equal(simulate(for_rows(criterion, order), scores[:, order], task), together[order])
    for row in range(len(labels)):
        alone = slice(row, row + 1)
        assert simulate(for_rows(criterion, alone), scores[:, alone], task) == together[alone]


@pytest.mark.parametrize(("name", "problem_type"), ON_PROBLEMS)
@examples
@given(data=st.data())
def test_the_engine_decides_as_the_simulation(name, problem_type, data):
    task, scores, labels = data.draw(stored_exits(problem_type))
    criterion = data.draw(st.sampled_from(settings_of(name, task, labels)))
    expected = simulate(criterion, scores, task)
    rows = len(labels)
    stages = StoredStages(scores, task)
    decisions = decide_batch(stages, encodings(rows), criterion)
    np.testing.assert_array_equal(decisions.exit_layers, expected)
    np.testing.assert_array_equal(decisions.scores, scores[expected - 1, np.arange(rows)])
    inside = [(expected >= layer).sum() for layer in range(1, task.num_layers + 1)]
    np.testing.assert_array_equal(stages.rows_run, inside)  # rows that have left cost nothing more
    if criterion.deployable:
        batch_size = data.draw(st.integers(1, rows))
        np.testing.assert_array_equal(
            decide(stages, encodings(rows), criterion, batch_size=batch_size).exit_layers, expected
        )


@pytest.mark.parametrize(("name", "problem_type"), ON_PROBLEMS)
@examples
@given(data=st.data())
def test_step_changes_neither_the_state_nor_the_scores_it_is_given(name, problem_type, data):
    task, scores, labels = data.draw(stored_exits(problem_type))
    criterion = data.draw(st.sampled_from(settings_of(name, task, labels)))
    state = criterion.start(len(labels), task)
    for layer, current in enumerate(scores, start=1):
        copy, before = current.copy(), select(state, slice(None))
        before = {key: values.copy() for key, values in before.items()}
        leaves, after = criterion.step(layer, current, state)
        assert leaves.dtype == bool
        assert leaves.shape == labels.shape[:1]
        np.testing.assert_array_equal(current, copy)
        for key, values in before.items():
            np.testing.assert_array_equal(state[key], values)
        assert {key: len(values) for key, values in after.items()} == dict.fromkeys(state, len(labels))
        state = after


@pytest.mark.parametrize(("name", "problem_type"), [on for on in ON_PROBLEMS if on[1] in Oracle.problem_types])
@examples
@given(data=st.data())
def test_no_criterion_is_right_more_often_than_the_oracle(name, problem_type, data):
    task, scores, labels = data.draw(stored_exits(problem_type))
    criterion = data.draw(st.sampled_from(settings_of(name, task, labels)))

    def right(criterion):
        answers = scores[simulate(criterion, scores, task) - 1, np.arange(len(labels))]
        if problem_type == MULTI_LABEL:
            return ((answers > 0.5) == labels).all(-1)
        return answers.argmax(-1) == labels

    assert (right(criterion) <= right(Oracle(labels))).all()


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
