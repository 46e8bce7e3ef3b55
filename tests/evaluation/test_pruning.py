"""Which exits are dropped, held against all sets of exits tried one by one."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from evaluation.outputs import LAYERS, TASK, stored
from leco.criteria import Cap, Ensemble, Entropy, Lte, MaxProbability, Patience, Static, simulate
from leco.data import Split, TextData
from leco.evaluation.exit_times import ExitTimes, measure_times
from leco.evaluation.pruning import prune, prune_exits, seconds_by_layer
from leco.model.stages import ModelStages
from leco.problems import SINGLE_LABEL
from tiny import sentences, text_model

KINDS = [Entropy, MaxProbability, Patience, Ensemble]


def times(exit_seconds):
    """Layers that take a second each, and exits that take some."""
    return ExitTimes([1.0] * LAYERS, dict.fromkeys(range(1, LAYERS + 1), exit_seconds))


def best_by_hand(kind, dev, layers, drop, exit_seconds):
    """The least mean time with the exits on these layers, text by text, among the settings that keep the score."""
    task = replace(TASK, exit_layers=tuple(layers))
    places = [layer - 1 for layer in layers]
    allowed = dev.score_of(dev.scores[-1]) - drop - 1e-9
    found = []
    for criterion in kind.sweep(task):
        observed = {name: values[places] for name, values in dev.observed.items()}
        left = simulate(criterion, dev.scores[places], task, observed)
        answers = [dev.scores[layer - 1, text] for text, layer in enumerate(left)]
        if dev.score_of(np.array(answers)) >= allowed:
            found.append(np.mean([layer + exit_seconds * sum(one <= layer for one in layers) for layer in left]))
    return min(found)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("exit_seconds", [0.01, 0.3, 2.0])
def test_each_drop_is_the_best_there_is_and_the_best_of_all_is_kept(kind, exit_seconds):
    dev = stored()
    found = prune(kind, dev, TASK, 0.02, times(exit_seconds))
    steps = found.steps
    assert steps[0].exit_layers == list(range(1, LAYERS + 1))
    for before, after in pairwise([*steps, None]):
        layers = before.exit_layers
        assert before.seconds == pytest.approx(best_by_hand(kind, dev, layers, 0.02, exit_seconds))
        others = [[one for one in layers if one != layer] for layer in layers[:-1]]
        tried = [best_by_hand(kind, dev, some, 0.02, exit_seconds) for some in others]
        assert (after and after.exit_layers) == (others[int(np.argmin(tried))] if tried else None)
    assert found.best.seconds == min(step.seconds for step in steps)
    assert found.saved == pytest.approx(1 - found.best.seconds / steps[0].seconds)
    assert all(step.score >= dev.score_of(dev.scores[-1]) - 0.02 - 1e-9 for step in steps)


def test_dear_exits_go_and_cheap_ones_stay():
    dev = stored()
    kept = [len(prune(Entropy, dev, TASK, 0.02, times(seconds)).exit_layers) for seconds in (0.0001, 0.5, 50.0)]
    assert kept[0] > kept[1] > kept[2] == 1
    assert len(prune(Static, dev, TASK, 0.02, times(50.0)).exit_layers) <= 2  # what is never asked goes


def test_a_text_takes_the_layers_and_exits_that_it_passes():
    some = ExitTimes([1.0, 2.0, 4.0], {1: 0.5, 3: 0.25})
    task = replace(TASK, num_layers=3, exit_layers=(1, 3))
    assert seconds_by_layer(Entropy(), task, some)[[1, 3]].tolist() == [1.5, 7.75]
    assert seconds_by_layer(Static(1), task, some)[1] == 1.5
    assert seconds_by_layer(Static(3), task, some)[3] == 7.25


def test_an_exit_on_the_embeddings_costs_all_texts_no_layer():
    some = ExitTimes([1.0, 2.0], {0: 0.5, 2: 0.25})
    task = replace(TASK, num_layers=2, exit_layers=(0, 2))
    assert seconds_by_layer(Entropy(), task, some)[[0, 2]].tolist() == [0.5, 3.75]
    assert seconds_by_layer(Static(), task, some)[2] == 3.25
    with_theirs = replace(some, embeddings=0.125)
    assert seconds_by_layer(Entropy(), task, with_theirs)[[0, 2]].tolist() == [0.625, 3.875]


def test_what_a_criterion_observes_of_an_exit_takes_its_time(tokenizer, monkeypatch):
    observed = []
    monkeypatch.setattr(ModelStages, "observe", lambda self, what, layer, batch: observed.append((what, layer)))
    model = text_model(tokenizer, layers=3, exit_layers=[0, 2, 3])
    for kind in (Entropy, Cap, Lte):
        observed.clear()
        measure_times(model, model.encode(["a text"]), kind.observes)
        assert set(observed) == {(kind.observes, layer) for layer in (0, 2, 3) if kind.observes}


@pytest.mark.parametrize("first", [0, 1])
def test_a_model_is_timed_and_pruned(tokenizer, first):
    model = text_model(tokenizer, layers=4, exit_layers=[first, 3, 4])
    encodings = model.encode(sentences(12))
    measured = measure_times(model, encodings)
    assert len(measured.layers) == 4
    assert list(measured.exits) == [first, 3, 4]
    assert min(measured.embeddings, *measured.layers, *measured.exits.values()) > 0
    labels = np.random.default_rng(0).integers(0, 3, 12)
    split = Split(sentences(12), labels)
    data = TextData("some", split, split, split, ("a", "b", "c"), SINGLE_LABEL, "accuracy", pair=False)
    found = prune_exits(model, data, Entropy, 1.0)
    assert list(model.task.exit_layers) == found.exit_layers
    assert model.predict(["a text"], "entropy:tau=9")[0].exit_layer == found.exit_layers[0]
