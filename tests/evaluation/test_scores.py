"""Scores over stored outputs, and the choice of settings on dev."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from evaluation.outputs import LAYERS, ROWS, TASK, stored
from leco.criteria import Cobee, Criterion, MaxProbability, Patience, Static, Task, simulate
from leco.data import Split, collate, encode, score
from leco.evaluation.scores import Stored, choose_setting, exit_outputs, settings
from leco.model import scores_of
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from tiny import sentences, text_model


def test_exit_scores_are_what_forward_says_of_each_text_alone(tokenizer):
    for problem_type in (SINGLE_LABEL, MULTI_LABEL, REGRESSION):
        model = text_model(tokenizer, outputs=1 if problem_type == REGRESSION else 3, problem_type=problem_type)
        encodings = encode(tokenizer, sentences(20), model.max_length, print)
        done = []
        found, observed = exit_outputs(model.train(), encodings, batch_size=8, on_batch=done.append)
        assert found.shape == (6, 20, model.task.num_outputs)
        assert {what: array.shape for what, array in observed.items()} == {"doubts": (6, 20), "evidence": (6, 20, 2)}
        assert (found.dtype, done) == (np.float32, [8, 8, 4])
        for row, encoding in enumerate(encodings):
            with torch.no_grad():
                logits = model(**collate(tokenizer, [encoding])).exit_logits[:, 0]
            expected = {SINGLE_LABEL: logits.softmax(-1), MULTI_LABEL: logits.sigmoid(), REGRESSION: logits}
            np.testing.assert_allclose(found[:, row], expected[problem_type], rtol=0, atol=1e-5)


def test_the_former_name_of_scores_warns():
    logits = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    with pytest.warns(DeprecationWarning, match=r"is now leco\.problems"):
        assert torch.equal(scores_of(logits, MULTI_LABEL), logits.sigmoid())


def test_scores_against_loops():
    some = stored()
    labels = some.split.labels

    def accuracy(predict):
        return sum(predict(row) == labels[row] for row in range(ROWS)) / ROWS

    by_exit = [accuracy(lambda row, m=m: some.scores[m, row].argmax()) for m in range(LAYERS)]
    assert some.by_exit() == pytest.approx(by_exit)
    assert by_exit[0] < by_exit[-1]
    layers = np.random.default_rng(2).integers(1, LAYERS + 1, ROWS)
    assert some.at(layers) == pytest.approx(accuracy(lambda row: some.scores[layers[row] - 1, row].argmax()))
    assert some.score_of(some.scores[2]) == pytest.approx(by_exit[2])


def test_a_score_over_groups_is_their_mean():
    groups = np.array(["matched"] * 50 + ["mismatched"] * 150)
    some = stored(groups=groups)
    right = some.scores[-1].argmax(-1) == some.split.labels
    assert some.score_of(some.scores[-1]) == pytest.approx((right[:50].mean() + right[50:].mean()) / 2)
    assert right[:50].mean() != right[50:].mean()


def test_many_labels_and_regressions():
    labels = np.array([[1, 0], [0, 0], [1, 1]], np.float32)
    scores = np.array([[[0.9, 0.2], [0.6, 0.1], [0.3, 0.8]]], np.float32)
    many = Stored(scores, Split(["a text"] * 3, labels), "f1_micro", MULTI_LABEL)
    assert many.by_exit() == pytest.approx([2 * 2 / (2 * 2 + 1 + 1)])
    values = Stored(
        np.array([[[1.0], [2], [4]]]), Split(["a"] * 3, np.array([2.0, 4, 8])), "pearson_spearman", REGRESSION
    )
    assert values.by_exit() == pytest.approx([1.0])


@pytest.mark.parametrize("max_drop", [0.0, 0.02, 0.1, 1.0])
@pytest.mark.parametrize("criterion", [Cobee, Patience, MaxProbability, Static])
def test_the_setting_chosen_keeps_the_score_and_is_the_earliest_that_does(criterion, max_drop):
    dev = stored()
    chosen = choose_setting(criterion, dev, TASK, max_drop)
    layers = simulate(chosen.criterion, dev.scores, TASK)
    assert (chosen.score, chosen.mean_exit_layer) == (dev.at(layers), layers.mean())
    floor = dev.by_exit()[-1] - max_drop
    assert chosen.score >= floor - 1e-9
    for candidate in criterion.sweep(TASK):
        others = simulate(candidate, dev.scores, TASK)
        kept = dev.at(others) >= floor
        assert not (kept and others.mean() < chosen.mean_exit_layer)
        assert not (kept and others.mean() == chosen.mean_exit_layer and dev.at(others) > chosen.score)


def test_more_may_be_lost_earlier_is_left():
    means = [choose_setting(Cobee, stored(), TASK, drop).mean_exit_layer for drop in (0, 0.05, 0.2, 1)]
    assert means == sorted(means, reverse=True)
    assert means[0] > means[-1]


def test_a_drop_of_just_the_maximum_is_allowed():
    right = np.array([[1] * 9 + [0] * 91, [1] * 10 + [0] * 90])  # scores 0.09 and 0.1; 0.1 - 0.01 > 0.09 in floats
    scores = np.stack([1.0 - right, right], -1)
    dev = Stored(scores, Split(["a text"] * 100, np.ones(100, np.int64)), "accuracy", SINGLE_LABEL)
    assert choose_setting(Static, dev, Task(2, 2), 0.01).criterion == Static(1)
    assert choose_setting(Static, dev, Task(2, 2), 0.009).criterion == Static(2)


@dataclass(frozen=True)
class Hasty(Criterion):
    """A criterion that cannot keep the score: it leaves at layer 1 or 2."""

    name: ClassVar[str] = "hasty"
    layer: int = 1

    def step(self, layer, scores, state):
        return np.full(len(scores), layer >= self.layer), state

    @classmethod
    def sweep(cls, task):
        return [cls(1), cls(2)]


def test_where_nothing_keeps_the_score_the_most_conservative_setting_is_chosen():
    assert choose_setting(Hasty, stored(), TASK, 0.0).criterion == Hasty(2)


def test_settings_go_from_late_to_early():
    tried = settings(Cobee, stored(), TASK)
    means = [setting.mean_exit_layer for setting in tried]
    assert len(tried) == len(Cobee.sweep(TASK))
    assert means == sorted(means, reverse=True)
    assert means[0] == LAYERS


def test_texts_that_leave_at_the_same_layers_are_scored_once(monkeypatch):
    some, counted = stored(), []
    monkeypatch.setattr("leco.evaluation.scores.score", lambda *given: counted.append(given) or score(*given))
    tried = settings(MaxProbability, some, TASK)
    assert len(counted) == len({tuple(some.exit_layers(one.criterion, TASK)) for one in tried}) < len(tried)
    for one in tried:
        assert one.score == some.score_of(some.leaving(some.exit_layers(one.criterion, TASK)))
    other = replace(some, split=replace(some.split, labels=1 - some.split.labels))
    assert other.at(np.full(ROWS, LAYERS)) == other.score_of(some.scores[-1]) != some.at(np.full(ROWS, LAYERS))
