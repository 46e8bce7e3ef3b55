"""The early-exiting loop, over stages that replay stored outputs and note what is asked of them."""

import numpy as np
import pytest

from criteria.cases import observed_of
from leco.criteria import CRITERIA, Cobee, MaxProbability, Static, Task, simulate
from leco.errors import LecoError
from leco.problems import MULTI_LABEL, REGRESSION
from leco.runtime import answers, decide
from leco.runtime.engine import Decisions, batches_by_length, decide_batch

LAYERS, ROWS, OUTPUTS = 5, 23, 3
DEPLOYABLE = [criterion for criterion in CRITERIA.values() if criterion.deployable]
FITTING = [(criterion, kind) for criterion in DEPLOYABLE for kind in sorted(criterion.problem_types)]


def stored_outputs(problem_type):
    """Outputs of all exits [M, N, K] that settle layer by layer, each row at its own pace."""
    random = np.random.default_rng(0)
    outputs = 1 if problem_type == REGRESSION else OUTPUTS
    pace = random.uniform(0.1, 2, (1, ROWS, 1))
    noise = np.exp(-pace * np.arange(LAYERS)[:, None, None]) * random.normal(size=(LAYERS, ROWS, outputs))
    logits = (random.normal(size=(1, ROWS, outputs)) + noise) * 3
    if problem_type == REGRESSION:
        return logits.astype(np.float32)
    if problem_type == MULTI_LABEL:
        return (1 / (1 + np.exp(-logits))).astype(np.float32)
    exponents = np.exp(logits)
    return (exponents / exponents.sum(-1, keepdims=True)).astype(np.float32)


class Replay:
    """Stages whose batch is the rows inside."""

    def __init__(self, scores, problem_type="single_label_classification"):
        self.stored = scores
        self.task = Task(scores.shape[2], scores.shape[0], problem_type)
        self.advanced, self.scored = [], []

    def start(self, encodings):
        return np.array([encoding["input_ids"][0] for encoding in encodings])

    def advance(self, layer, batch):
        self.advanced.append((layer, batch.tolist()))
        return batch

    def scores(self, layer, batch):
        self.scored.append((layer, batch.tolist()))
        return self.stored[layer - 1, batch]

    def observe(self, what, layer, batch):
        return observed_of(self.stored[layer - 1, batch])[what]

    def keep(self, batch, rows):
        return batch[rows]


def encodings(lengths=None):
    lengths = np.random.default_rng(1).integers(1, 9, ROWS) if lengths is None else lengths
    return [{"input_ids": [row] * length} for row, length in enumerate(lengths)]


@pytest.mark.parametrize(("criterion", "problem_type"), FITTING)
def test_the_loop_decides_as_the_simulation_does(criterion, problem_type):
    scores = stored_outputs(problem_type)
    found = set()
    settings = criterion.sweep(Replay(scores, problem_type).task)
    for setting in [*settings[:: max(len(settings) // 15, 1)], settings[-1], criterion()]:
        stages = Replay(scores, problem_type)
        expected = simulate(setting, scores, stages.task, observed_of(scores))
        for batch_size in (1, 4, ROWS):
            decisions = decide(stages, encodings(), setting, batch_size=batch_size)
            np.testing.assert_array_equal(decisions.exit_layers, expected)
            np.testing.assert_array_equal(decisions.scores, scores[expected - 1, np.arange(ROWS)])
        found.update(expected.tolist())
    assert len(found) > 2


def test_each_layer_sees_the_rows_still_inside_and_nothing_runs_after_the_last_has_left():
    scores = np.full((4, 3, 2), 0.5, np.float32)
    scores[0, 1] = scores[2, 0] = scores[2, 2] = [0.9, 0.1]
    stages = Replay(scores)
    decisions = decide_batch(stages, encodings([2, 2, 2]), MaxProbability(0.8))
    assert stages.advanced == stages.scored == [(1, [0, 1, 2]), (2, [0, 2]), (3, [0, 2])]
    assert decisions.exit_layers.tolist() == [3, 1, 3]


def test_exits_that_the_criterion_does_not_use_are_not_computed():
    stages = Replay(stored_outputs("single_label_classification"))
    decide_batch(stages, encodings(), Static(3))
    assert [layer for layer, _ in stages.advanced] == [1, 2, 3]
    assert [layer for layer, _ in stages.scored] == [3]


def test_the_last_exit_answers_whatever_the_criterion_says():
    scores = stored_outputs("single_label_classification")
    decisions = decide(Replay(scores), encodings(), Cobee(tau=0.0))
    assert set(decisions.exit_layers) == {LAYERS}
    np.testing.assert_array_equal(decisions.scores, scores[-1])


def test_batches_are_of_similar_length_and_told_one_by_one():
    lengths = [3, 9, 3, 1, 5]
    assert [batch.tolist() for batch in batches_by_length(encodings(lengths), 2)] == [[1, 4], [0, 2], [3]]
    told = []
    decide(Replay(stored_outputs("single_label_classification")), encodings(lengths), Static(), batch_size=2,
           on_batch=told.append)  # fmt: skip
    assert told == [2, 2, 1]


def test_no_texts():
    decisions = decide(Replay(stored_outputs("single_label_classification")), [], Cobee())
    assert decisions.scores.shape == (0, OUTPUTS)
    assert answers(decisions, list("abc"), "single_label_classification") == []


@pytest.mark.parametrize(("criterion", "problem_type"), [(Static(LAYERS + 1), REGRESSION), (Cobee(), MULTI_LABEL)])
def test_a_criterion_that_does_not_fit_is_refused_before_any_layer_runs(criterion, problem_type):
    stages = Replay(stored_outputs(problem_type), problem_type)
    with pytest.raises(LecoError):
        decide(stages, encodings(), criterion)
    assert stages.advanced == []


@pytest.mark.parametrize(
    ("problem_type", "scores", "label"),
    [
        ("single_label_classification", [0.25, 0.5, 0.25], "b"),
        (MULTI_LABEL, [0.75, 0.5, 0.625], ("a", "c")),
        (MULTI_LABEL, [0.25, 0.5, 0.125], ()),
        (REGRESSION, [-2.5], -2.5),
    ],
)
def test_answers(problem_type, scores, label):
    decisions = Decisions(np.array([scores], np.float32), np.array([4]))
    (answer,) = answers(decisions, list("abc"[: len(scores)]), problem_type)
    assert answer.label == label
    assert answer.to_dict() == {"label": label, "scores": dict(zip("abc", scores)), "exit_layer": 4}
