"""What is reported of a model, with a clock that counts layers in place of seconds."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from leco import Cobee, Entropy, LecoError, MaxProbability, Static
from leco.criteria import CRITERIA, criterion_from_dict
from leco.data import Split, TextData, encode
from leco.evaluation import align_labels, applicable_criteria, choose_criterion, evaluate
from leco.evaluation.curve import area
from leco.evaluation.speedup import OperatingPoint, measure_speedups, sample
from leco.exits.architecture import LINEAR, MHA
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from tiny import CELL, bert, multi_exit, sentences, text_model, tick_by_layer

LAYERS = 6


def labelled(names=("a", "b", "c"), problem_type=SINGLE_LABEL, metric="accuracy", rows=30):
    """Random texts with random labels."""

    def split(seed):
        random = np.random.default_rng(seed)
        if problem_type == REGRESSION:
            labels = random.normal(size=rows).astype(np.float32)
        elif problem_type == MULTI_LABEL:
            labels = random.integers(0, 2, (rows, len(names))).astype(np.float32)
        else:
            labels = random.integers(0, len(names), rows)
        return Split(sentences(rows, seed), labels)

    return TextData("some", split(1), split(2), split(3), tuple(names), problem_type, metric, pair=False)


@pytest.fixture
def model(tokenizer):
    return text_model(tokenizer, architectures=[LINEAR])


@pytest.fixture
def clock(model, monkeypatch):
    return tick_by_layer(model, monkeypatch)


def point(criterion, exit_layers):
    return OperatingPoint.by(criterion, 0.0, np.array(exit_layers))


@pytest.mark.parametrize("layer", [1, 2, LAYERS])
def test_the_speedup_is_one_minus_the_share_of_the_time_at_full_depth(model, clock, layer):
    encodings = encode(model.tokenizer, sentences(7), model.max_length, print)
    (found,) = measure_speedups(model, encodings, [point(Static(layer), [layer] * 7)], repeats=3)
    assert found.repeats == pytest.approx([1 - layer / LAYERS] * 3)
    assert found.speedup == pytest.approx(1 - layer / LAYERS)
    assert found.factor == pytest.approx(LAYERS / layer)
    assert (found.texts, found.seconds, found.full_depth_seconds) == (7, layer, LAYERS)
    assert clock.count == (5 + 3 * 7) * (layer + LAYERS)  # five texts to warm up


def test_the_speedup_of_a_criterion_that_looks_at_the_texts(model, clock):
    encodings = encode(model.tokenizer, sentences(20), model.max_length, print)
    exit_layers = [answer.exit_layer for answer in model.predict(sentences(20), criterion=MaxProbability(0.7))]
    assert len(set(exit_layers)) > 1
    (found,) = measure_speedups(model, encodings, [point(MaxProbability(0.7), exit_layers)], repeats=1)
    assert found.speedup == pytest.approx(1 - sum(exit_layers) / (20 * LAYERS))


@pytest.mark.parametrize("order", [1, -1])
def test_the_texts_that_are_timed_stand_for_all_whatever_their_order(model, clock, order):
    """Those that leave early come first, or last."""
    texts = sentences(200)
    exit_layers = np.array([answer.exit_layer for answer in model.predict(texts, criterion=MaxProbability(0.7))])
    places = np.argsort(exit_layers, kind="stable")[::order]
    encodings = encode(model.tokenizer, [texts[place] for place in places], model.max_length, print)
    points = [point(MaxProbability(0.7), exit_layers[places])]
    (found,) = measure_speedups(model, encodings, points, repeats=1, timed=60)
    assert found.texts == 60
    assert found.speedup == pytest.approx(1 - exit_layers.mean() / LAYERS, abs=0.1)
    assert abs(exit_layers[places][:60].mean() - exit_layers.mean()) > 0.1 * LAYERS, "the first are of one kind"


def test_what_a_kind_of_criterion_does_to_a_text_runs_once_for_all_its_settings(model, clock):
    encodings = encode(model.tokenizer, sentences(2), model.max_length, print)
    slow, fast = Static(3), Static(2)
    points = [point(slow, [3, 3]), point(fast, [2, 2]), point(slow, [3, 3])]
    found = measure_speedups(model, encodings, points, repeats=4)
    assert [one.speedup for one in found] == pytest.approx([1 - 3 / LAYERS, 1 - 2 / LAYERS, 1 - 3 / LAYERS])
    assert clock.count == (2 + 4 * 2) * (3 + 2 + LAYERS)


def test_the_evaluation_is_what_the_answers_say(model, clock):
    data = labelled()
    criterion = MaxProbability(0.6)
    result = evaluate(model, data, criterion=criterion, repeats=2, timed_texts=4).to_dict()
    assert json.loads(json.dumps(result)) == result

    def accuracy(answers):
        return np.mean([answer.label == "abc"[label] for answer, label in zip(answers, data.test.labels)])

    answers = model.predict(data.test.texts, criterion)
    exit_layers = [answer.exit_layer for answer in answers]
    by_exit = [accuracy(model.predict(data.test.texts, criterion=Static(layer))) for layer in range(1, LAYERS + 1)]
    assert result["exit_scores"] == pytest.approx(by_exit)
    assert (result["avg"], result["best"]) == (pytest.approx(np.mean(by_exit)), pytest.approx(max(by_exit)))
    assert result["full_depth_score"] == pytest.approx(by_exit[-1])
    assert result["criterion"] == {"name": "max-probability", "tau": 0.6}
    assert result["score"] == pytest.approx(accuracy(answers))
    assert result["mean_exit_layer"] == pytest.approx(np.mean(exit_layers))
    assert result["exit_layer_counts"] == [exit_layers.count(layer) for layer in range(1, LAYERS + 1)]
    assert result["speedup"] == pytest.approx(1 - sum(exit_layers[place] for place in sample(30, 4)) / (4 * LAYERS))
    assert result["speedup_factor"] == pytest.approx(1 / (1 - result["speedup"]))
    assert len(result["speedup_repeats"]) == 2
    assert (result["data"], result["metric"], result["rows"]) == ("some", "accuracy", 30)
    on_dev = model.predict(data.dev.texts, criterion)
    assert result["dev"]["mean_exit_layer"] == pytest.approx(np.mean([answer.exit_layer for answer in on_dev]))
    assert len(result["dev"]["exit_scores"]) == LAYERS
    assert [len(counts) for counts in result["exit_layer_counts_by_label"].values()] == [LAYERS] * 3
    assert np.sum(list(result["exit_layer_counts_by_label"].values()), 0).tolist() == result["exit_layer_counts"]
    assert (result["timed_texts"], result["full_depth_seconds"]) == (4, LAYERS)
    assert list(result["curves"]) == ["max-probability"]
    assert result["area_range"] is None
    for point in result["curves"]["max-probability"]["points"]:
        assert point["speedup"] is point["speedup_factor"] is None


def test_the_criterion_is_an_argument_and_the_model_stays_as_it_is(model):
    data, before = labelled(rows=4), model.config.to_dict()
    timing = {"repeats": 1, "timed_texts": 1}
    wanted = [Entropy(tau=0.5), "entropy:tau=0.5", None]
    found = [evaluate(model, data, criterion=one, **timing).criterion for one in wanted]
    assert found == [*[{"name": "entropy", "tau": 0.5, "normalized": False}] * 2, model.config.criterion.to_dict()]
    assert model.config.to_dict() == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"criterion": "entropi"}, "criterion: Unknown exit criterion 'entropi'"),
        ({"criterion": "entropy:tau=-1"}, "criterion: tau must be at least 0, not -1"),
        ({"criterion": "oracle"}, "criterion: 'oracle' needs the labels"),
        ({"criterion": Static(9)}, f"criterion: layer must be at most {LAYERS}"),
        ({"criterion": 7}, "criterion: The criterion must be one such as Cobee"),
        ({"repeats": 0}, "repeats must be at least 1, not 0"),
        ({"timed_texts": 1.5}, "timed_texts must be a whole number, not 1.5"),
        ({"repeat": 1}, "Unknown option 'repeat'. Did you mean 'repeats'?"),
    ],
)
def test_what_evaluate_refuses(model, given, message):
    with pytest.raises(LecoError, match=f"^{re.escape(message)}"):
        evaluate(model, labelled(rows=4), **given)


def test_curves_of_all_criteria_are_measured_by_really_exiting(model, clock):
    data = labelled()
    names = applicable_criteria(model)
    assert set(names) == {name for name, criterion in CRITERIA.items() if criterion.deployable}
    result = evaluate(model, data, criterion=Cobee(), repeats=2, criteria=names)
    assert set(result.curves) == {*names, "oracle"}
    low, high = result.area_range
    for name in names:
        points = result.curves[name].points
        assert [point.speedup for point in points] == sorted(point.speedup for point in points)
        assert result.curves[name].area == pytest.approx(area(points, low, high))
        assert points[0].speedup <= low < high <= points[-1].speedup
        for point in points:  # all texts are timed, and a layer is a tick
            assert point.speedup == pytest.approx(point.layers_saved)
            assert point.speedup_factor == pytest.approx(1 / (1 - point.speedup))
        middle = points[len(points) // 2]
        answers = model.predict(data.test.texts, criterion=criterion_from_dict(middle.criterion))
        assert middle.mean_exit_layer == pytest.approx(np.mean([answer.exit_layer for answer in answers]))
        assert middle.score == pytest.approx(
            np.mean([answer.label == "abc"[label] for answer, label in zip(answers, data.test.labels)])
        )
    assert all(curve.area <= result.curves["oracle"].area for curve in result.curves.values())


def test_only_the_criteria_asked_for_are_measured(model):
    result = evaluate(model, labelled(rows=8), repeats=1, timed_texts=1, criteria=["static"])
    assert set(result.curves) == {"static", "oracle"}
    assert len(result.curves["static"].points) == LAYERS


@pytest.mark.parametrize(
    ("problem_type", "some", "others"),
    [(REGRESSION, {"cobee", "patience", "lte"}, {"entropy"}), (MULTI_LABEL, {"f-pabee", "lte"}, {"cobee"})],
)
def test_criteria_that_are_not_defined_for_the_task_have_no_curve(problem_type, some, others):
    names = set(applicable_criteria(multi_exit(bert(), problem_type=problem_type)))
    assert some <= names
    assert not names & {*others, "oracle"}


@pytest.mark.parametrize(
    ("problem_type", "metric"),
    [(MULTI_LABEL, "f1_micro"), (REGRESSION, "pearson_spearman"), (SINGLE_LABEL, "matthews")],
)
def test_every_kind_of_problem_is_evaluated(tokenizer, problem_type, metric):
    names = () if problem_type == REGRESSION else ("a", "b", "c")
    model = text_model(tokenizer, layers=3, outputs=3, problem_type=problem_type)
    result = evaluate(model, labelled(names, problem_type, metric), repeats=1, timed_texts=2)
    assert result.score == result.full_depth_score == result.exit_scores[-1]
    assert set(result.exit_layer_counts_by_label) == set(names)
    assert len({round(score, 6) for score in result.exit_scores}) > 1


@pytest.mark.parametrize(
    ("architectures", "learned"), [([LINEAR], False), ([MHA], False), ([CELL], True), ([CELL, MHA, LINEAR], True)]
)
def test_architectures_are_reported_where_exits_are_learned(tokenizer, architectures, learned):
    model = text_model(tokenizer, layers=3, architectures=architectures)
    result = evaluate(model, labelled(rows=4), repeats=1).to_dict()
    assert result.get("architectures") == (model.config.exit_architectures if learned else None)


def test_the_criterion_is_chosen_on_dev(model):
    data = labelled()
    chosen = choose_criterion(model, data, "cobee", max_drop=0.05)
    assert isinstance(chosen, Cobee)
    full, early = (
        np.mean([a.label == "abc"[y] for a, y in zip(model.predict(data.dev.texts, criterion=c), data.dev.labels)])
        for c in (Static(), chosen)
    )
    assert early >= full - 0.05 - 1e-9
    blind = replace(data, test=labelled(rows=3).train, train=labelled(rows=3).test)
    assert choose_criterion(model, blind, "cobee", max_drop=0.05) == chosen


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL])
def test_labels_are_numbered_as_the_model_numbers_them(problem_type):
    model = multi_exit(bert(), problem_type=problem_type)
    data = labelled(("c", "a", "b"), problem_type)
    aligned = align_labels(data, model)
    assert aligned.label_names == ("a", "b", "c")
    for name in ("train", "dev", "test"):
        before, after = getattr(data, name), getattr(aligned, name)
        assert after.texts == before.texts
        assert after.labels.dtype == before.labels.dtype
        for old, new in zip(before.labels, after.labels):
            if problem_type == SINGLE_LABEL:
                assert data.label_names[old] == aligned.label_names[new]
            else:
                assert dict(zip(data.label_names, old)) == dict(zip(aligned.label_names, new))
    assert align_labels(aligned, model) is aligned


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL])
def test_labels_that_the_data_lacks_keep_their_place(problem_type):
    model = multi_exit(bert(), problem_type=problem_type)
    labels = align_labels(labelled(("c", "a"), problem_type), model).test.labels
    if problem_type == SINGLE_LABEL:
        assert set(labels) == {0, 2}
    else:
        assert labels.shape == (30, 3)
        assert labels.sum(0)[1] == 0
        assert (labels.sum(0)[[0, 2]] > 0).all()


@pytest.mark.parametrize(
    ("problem_type", "metric"), [(SINGLE_LABEL, "accuracy"), (SINGLE_LABEL, "matthews"), (MULTI_LABEL, "f1_micro")]
)
def test_the_order_of_the_labels_does_not_change_a_score(tokenizer, problem_type, metric):
    model = text_model(tokenizer, layers=3, problem_type=problem_type)
    data = labelled(("a", "b", "c"), problem_type, metric)
    order = np.array([2, 0, 1])  # the data's names for the same labels: c, a, b

    def reorder(split):
        labels = split.labels[:, order] if problem_type == MULTI_LABEL else np.argsort(order)[split.labels]
        return replace(split, labels=labels)

    other = replace(data, label_names=("c", "a", "b"), dev=reorder(data.dev), test=reorder(data.test))
    scores = [evaluate(model, align_labels(some, model), repeats=1, timed_texts=1) for some in (data, other)]
    assert scores[0].exit_scores == scores[1].exit_scores
    assert scores[0].score == scores[1].score
    assert evaluate(model, replace(other, label_names=data.label_names), repeats=1).exit_scores != scores[0].exit_scores


def test_data_that_does_not_fit_the_model_is_refused():
    model = multi_exit(bert())
    with pytest.raises(LecoError, match=r"the label 'd', which the model does not know\. It knows: a, b, c"):
        align_labels(labelled(("a", "d")), model)
    with pytest.raises(LecoError, match="is a regression, but the model was trained for a single_label"):
        align_labels(labelled((), REGRESSION), model)
    value = multi_exit(bert(), problem_type=REGRESSION)
    data = labelled((), REGRESSION)
    assert align_labels(data, value) is data
