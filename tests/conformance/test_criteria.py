"""Every exit criterion, whatever is registered, with every kind of problem that it is defined for."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import leco.criteria
from conformance.settings import LARGE, assert_refuses, extremes, settings_with_types
from criteria.cases import (
    ON_PROBLEMS,
    examples,
    for_rows,
    observed_of,
    outputs,
    random_labels,
    random_scores,
    settings_of,
    simulate,
    stored_exits,
    variants,
)
from leco.criteria import (
    CRITERIA,
    DOUBTS,
    EVIDENCE,
    MULTI_LABEL,
    REGRESSION,
    SINGLE_LABEL,
    Oracle,
    Task,
    criterion_from_dict,
    parse_criterion,
    select,
    setting_arrays,
)
from leco.criteria.counting import Comparing
from leco.data import encode
from leco.errors import LecoError
from leco.evaluation.scores import exit_outputs
from leco.model import ModelStages
from leco.options import setting_names
from leco.runtime.engine import decide, decide_batch
from tiny import sentences, text_model

TASK = Task(3, 6)
DEPLOYABLE = [(name, problem_type) for name, problem_type in ON_PROBLEMS if CRITERIA[name].deployable]


def task_of(problem_type, num_layers=6):
    """A task of three outputs, or one where it is a regression."""
    return Task(1 if problem_type == REGRESSION else 3, num_layers, problem_type)


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

    def observe(self, what, layer, batch):
        return observed_of(self.stored[layer - 1, batch])[what]

    def keep(self, batch, rows):
        return batch[rows]


def numbered(rows):
    """One for each row, of different lengths."""
    return [{"input_ids": [row] * (1 + row * 7 % 4)} for row in range(rows)]


@pytest.mark.parametrize(("name", "problem_type"), DEPLOYABLE)
def test_on_a_toy_task_it_saves_layers_and_costs_nothing(name, problem_type):
    """Two of six exits guess, the others are right and certain, and the meta-classifier and the evidence know it."""
    task, rows = task_of(problem_type), 200
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=0.5, size=(6, rows, task.num_outputs))
    right = random_labels(task, rows)
    if problem_type == SINGLE_LABEL:
        right = np.eye(task.num_outputs)[right]
    logits[2:] = logits[2:] / 100 + 10 * right.reshape(rows, -1) - 5
    scores = outputs(logits, problem_type)
    doubts = np.repeat([0.9, 0.9, 0.1, 0.1, 0.1, 0.1], rows).reshape(6, rows)
    observed = {DOUBTS: doubts, EVIDENCE: np.stack([10 * (1 - doubts), doubts], axis=-1)}
    settings = [leco.criteria.simulate(criterion, scores, task, observed) for criterion in CRITERIA[name].sweep(task)]
    assert min(layers.mean() for layers in settings if (layers > 2).all()) < 5.5


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
    task = task_of(problem_type)
    last = CRITERIA[name].sweep(task)[-1]
    exit_layers = simulate(last, random_scores(task, 100, change=0.01), task)
    assert (exit_layers == (2 if issubclass(CRITERIA[name], Comparing) else 1)).mean() > 0.9


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
    decisions = decide_batch(stages, numbered(rows), criterion)
    np.testing.assert_array_equal(decisions.exit_layers, expected)
    np.testing.assert_array_equal(decisions.scores, scores[expected - 1, np.arange(rows)])
    inside = [(expected >= layer).sum() for layer in range(1, task.num_layers + 1)]
    np.testing.assert_array_equal(stages.rows_run, inside)  # rows that have left cost nothing more
    if criterion.deployable:
        batch_size = data.draw(st.integers(1, rows))
        np.testing.assert_array_equal(
            decide(stages, numbered(rows), criterion, batch_size=batch_size).exit_layers, expected
        )


@torch.inference_mode()
@pytest.mark.parametrize(("name", "problem_type"), DEPLOYABLE)
def test_the_pytorch_model_decides_as_the_simulation(tokenizer, name, problem_type):
    model = text_model(tokenizer, outputs=1 if problem_type == REGRESSION else 3, problem_type=problem_type)
    encodings = encode(tokenizer, sentences(24, seed=1), model.max_length, print)
    stored, observed = exit_outputs(model, encodings, batch_size=10)
    settings = CRITERIA[name].sweep(model.task)
    found = set()
    for setting in [*settings[:: max(len(settings) // 10, 1)], settings[-1]]:
        expected = leco.criteria.simulate(setting, stored, model.task, observed)
        decisions = decide(ModelStages(model), encodings, setting, batch_size=7)
        np.testing.assert_array_equal(decisions.exit_layers, expected)
        np.testing.assert_allclose(decisions.scores, stored[expected - 1, np.arange(24)], rtol=0, atol=1e-5)
        found.update(expected.tolist())
    assert len(found) > 1


@pytest.mark.parametrize(("name", "problem_type"), ON_PROBLEMS)
@examples
@given(data=st.data())
def test_step_changes_neither_the_state_nor_the_scores_it_is_given(name, problem_type, data):
    task, scores, labels = data.draw(stored_exits(problem_type))
    criterion = data.draw(st.sampled_from(settings_of(name, task, labels)))
    state = criterion.start(len(labels), task)
    given = {None: scores, **observed_of(scores)}
    for layer, current in enumerate(given[criterion.observes], start=1):
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


@pytest.mark.parametrize("name", CRITERIA)
def test_what_is_written_is_read_again(name):
    for criterion in settings_of(name, TASK, random_labels(TASK, 4), most=1000):
        assert criterion_from_dict(json.loads(json.dumps(criterion.to_dict()))) == criterion
        assert parse_criterion(str(criterion)) == criterion


@pytest.mark.parametrize(("name", "problem_type"), DEPLOYABLE)
def test_both_ends_of_its_settings_in_both_precisions(name, problem_type):
    """On a model that is as deep as the largest setting."""
    task = task_of(problem_type, num_layers=LARGE)
    scores = random_scores(task, 5)
    for criterion in extremes(CRITERIA[name]):
        assert parse_criterion(str(criterion)) == criterion
        layers = simulate(criterion, scores, task)
        assert layers.min() >= 1
        assert layers.max() <= LARGE
        np.testing.assert_array_equal(simulate(criterion, scores.astype(np.float32), task), layers)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "problem_type"), DEPLOYABLE)
def test_a_setting_that_float32_does_not_have_is_the_largest_that_it_has(name, problem_type):
    """In comparisons, as the input of a graph, and where it is written."""
    task = task_of(problem_type)
    scores = random_scores(task, 5).astype(np.float32)
    for setting, hint, meta in settings_with_types(CRITERIA[name]):
        if hint is not float or meta["maximum"] is not None:
            continue
        largest, beyond = (CRITERIA[name](**{setting: value}) for value in (float(np.finfo(np.float32).max), 1e39))
        np.testing.assert_array_equal(simulate(beyond, scores, task), simulate(largest, scores, task))
        assert setting_arrays(beyond) == setting_arrays(largest)
        assert parse_criterion(str(beyond)) == beyond == largest


@pytest.mark.parametrize("name", CRITERIA)
def test_settings_out_of_range_are_refused(name):
    assert_refuses(CRITERIA[name])


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL, REGRESSION])
@pytest.mark.parametrize("name", CRITERIA)
def test_a_problem_that_a_criterion_is_not_defined_for_is_refused(name, problem_type):
    criterion, task = CRITERIA[name](), Task(1, 6, problem_type)
    if problem_type in criterion.problem_types:
        return criterion.check(task)
    for refuses in (criterion.check, lambda task: simulate(criterion, np.zeros((6, 2, 1)), task)):
        with pytest.raises(LecoError, match=rf"'{name}' is not defined .* '{problem_type}', only for \w+"):
            refuses(task)
    return None


@pytest.mark.parametrize("name", CRITERIA)
def test_each_criterion_has_an_example_and_a_source(name):
    assert ">>> " in CRITERIA[name].__doc__
    assert "Source: " in CRITERIA[name].__doc__
