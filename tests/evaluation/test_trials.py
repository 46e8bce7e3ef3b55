"""Settings tried on texts: the answers are those that the predictor gives, and nothing runs twice."""

import numpy as np
import pytest

from leco import Cobee, Entropy, LecoError, Patience, Static
from leco.calibration import LOSSES
from leco.data import Split
from leco.evaluation import trials
from leco.evaluation.kept import Kept, files_mark
from leco.evaluation.ordering import along_one_knob, order_on
from leco.evaluation.trials import Trials
from leco.runtime import Decisions
from tiny import sentences, text_model

TEXTS = sentences(30)
LABELS = np.random.default_rng(0).integers(0, 3, len(TEXTS))
SPLIT = Split(TEXTS, LABELS)
CRITERIA = [Entropy(0.9), Cobee(tau=0.3), Patience(patience=2), Static(2), Static()]


@pytest.fixture(scope="module")
def model(tokenizer):
    """Exits on some layers of six; not to be changed."""
    made = text_model(tokenizer)
    made.keep_exits([2, 3, 5, 6])
    return made


@pytest.fixture
def pieces(monkeypatch):
    """Outputs are kept by eight texts."""
    monkeypatch.setattr(trials, "PIECE", 8)


class Deciding:
    """A predictor that gives nothing but decisions, and counts the texts that it answers."""

    def __init__(self, model):
        self.model, self.answered = model, 0

    def __getattr__(self, name):
        if name in ("exit_outputs", "exit_architectures"):
            raise AttributeError(name)
        return getattr(self.model, name)

    def decide(self, encodings, criterion, **more):
        """As the model does."""
        self.answered += len(encodings)
        return self.model.decide(encodings, criterion, **more)


@pytest.mark.parametrize("criterion", CRITERIA, ids=str)
@pytest.mark.parametrize("deciding", [False, True])
def test_the_answers_are_those_of_the_predictor(model, pieces, criterion, deciding):
    predictor = Deciding(model) if deciding else model
    found = Trials(predictor, SPLIT, LOSSES["worse"])
    early, full = (model.decide(model.encode(TEXTS), one) for one in (criterion, Static()))
    decided = found.decisions(criterion)
    np.testing.assert_array_equal(decided.exit_layers, early.exit_layers)
    np.testing.assert_allclose(decided.scores, early.scores, atol=1e-5)
    tried = found.attempt(criterion)
    expected = (full.scores.argmax(-1) == LABELS) & (early.scores.argmax(-1) != LABELS)
    np.testing.assert_array_equal(tried.losses, expected)
    np.testing.assert_array_equal(tried.exit_layers, early.exit_layers)


def test_what_was_kept_is_not_run_again_until_it_is_removed(model, pieces, tmp_path):
    answered = []
    for key in ("a", "a", "b"):
        predictor = Deciding(model)
        kept = Kept(tmp_path / "kept", key)
        Trials(predictor, SPLIT, LOSSES["disagreement"], kept).attempt(Entropy(0.9))
        answered.append(predictor.answered)
    assert answered == [2 * len(TEXTS), 0, 2 * len(TEXTS)]
    kept.remove()
    assert not (tmp_path / "kept").exists()


def test_what_was_kept_of_a_part_or_in_another_order_is_that_splits_alone(model, pieces, tmp_path):
    kept = Kept(tmp_path / "kept", "a")
    for rows in (np.arange(len(TEXTS)), np.arange(len(TEXTS))[::-1], np.arange(20), np.arange(20, len(TEXTS))):
        split = SPLIT.take(rows)
        found = Trials(model, split, LOSSES["worse"], kept).attempt(Entropy(0.9))
        again = Trials(model, split, LOSSES["worse"]).attempt(Entropy(0.9))
        np.testing.assert_array_equal(found.losses, again.losses)
        np.testing.assert_array_equal(found.exit_layers, again.exit_layers)


def test_what_is_half_done_goes_on_piece_by_piece(model, pieces, tmp_path):
    class Stopped(Deciding):
        def decide(self, encodings, criterion, **more):
            if self.answered == 16:
                raise KeyboardInterrupt
            return super().decide(encodings, criterion, **more)

    kept = Kept(tmp_path / "kept", "a")
    with pytest.raises(KeyboardInterrupt):
        Trials(Stopped(model), SPLIT, LOSSES["worse"], kept).decisions(Entropy(0.9))
    predictor = Deciding(model)
    Trials(predictor, SPLIT, LOSSES["worse"], kept).decisions(Entropy(0.9))
    assert predictor.answered == len(TEXTS) - 16


def test_a_changed_file_has_another_mark(tmp_path):
    path = tmp_path / "file"
    path.write_text("a")
    before = files_mark(path, tmp_path / "none")
    path.write_text("ab")
    assert files_mark(path, tmp_path / "none") != before


def test_answers_of_a_file_that_are_no_numbers_are_refused(model):
    class Broken(Deciding):
        def decide(self, encodings, criterion, **more):
            return Decisions(np.full((len(encodings), 3), np.nan), np.full(len(encodings), 6))

    with pytest.raises(LecoError, match="are not finite numbers"):
        Trials(Broken(model), SPLIT, LOSSES["worse"]).attempt(Entropy(0.9))


def test_the_order_goes_from_late_exits_to_early_ones_and_leaves_full_depth_out(model):
    stored = Trials(model, SPLIT, LOSSES["worse"]).stored
    order = order_on(stored, [Entropy, Cobee, Static], model.task, "these texts")
    assert list(order.chains) == ["entropy", "cobee", "static"]
    for chain in order.chains.values():
        layers = [step.mean_exit_layer for step in chain]
        assert layers == sorted(layers, reverse=True)
        assert layers[0] < model.num_layers
        assert [float(stored.exit_layers(step.exits, model.task).mean()) for step in chain] == layers


def test_along_one_knob_exits_come_earlier_and_the_rest_stays(model):
    stored = Trials(model, SPLIT, LOSSES["worse"]).stored
    for criterion in (Entropy(0.2, normalized=True), Cobee(tau=0.3, patience=2)):
        chain = along_one_knob(criterion, model.task)
        layers = [stored.exit_layers(one, model.task).mean() for one in chain]
        assert layers == sorted(layers, reverse=True)
        assert len(chain) > 10
        assert {one.to_dict().get("patience") for one in chain} == {criterion.to_dict().get("patience")}
        assert {one.to_dict().get("normalized") for one in chain} == {criterion.to_dict().get("normalized")}
