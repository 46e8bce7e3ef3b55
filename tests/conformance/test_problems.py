"""Every kind of problem, whatever is registered, against formulas written out as loops."""

from math import exp, log, tanh

import numpy as np
import onnx
import pytest
import torch

from conformance.gradients import assert_gradient
from leco.criteria import Patience, Task
from leco.criteria.information import entropy
from leco.data import METRICS, collate, encode
from leco.data.labels import learn_labels
from leco.data.tables import Table
from leco.export.graph import FLOAT, Graph, make_model
from leco.model import divergence, doubt_loss, exit_losses, uncertainty
from leco.problems import MULTI_LABEL, PROBLEMS, REGRESSION, SINGLE_LABEL
from leco.runtime.session import open_session
from tiny import sentences, text_model

every = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
named, unnamed = (
    pytest.mark.parametrize("problem", [one for one in PROBLEMS.values() if one.has_names is has], ids=lambda p: p.name)
    for has in (True, False)
)


def sigmoid(logit):
    return 1 / (1 + exp(-logit))


def softmax(logits):
    return [exp(logit) / sum(map(exp, logits)) for logit in logits]


def binary(logit):
    return [sigmoid(logit), sigmoid(-logit)]


def kl(p, q):
    return sum(a * log(a / b) for a, b in zip(p, q))


def share(p):
    return -sum(a * log(a) for a in p) / log(len(p))


NAIVE = {
    SINGLE_LABEL: {
        "scores": softmax,
        "predicted": lambda scores: max(range(len(scores)), key=lambda k: scores[k]),
        "loss": lambda logits, label: -log(softmax(logits)[label]),
        "wrong": lambda logits, label: float(max(logits) > logits[label]),
        "divergence": lambda teacher, student: kl(softmax(teacher), softmax(student)),
        "uncertainty": lambda logits: share(softmax(logits)),
    },
    MULTI_LABEL: {
        "scores": lambda logits: [sigmoid(logit) for logit in logits],
        "predicted": lambda scores: [int(score > 0.5) for score in scores],
        "loss": lambda logits, label: np.mean([-log(sigmoid(z if y else -z)) for z, y in zip(logits, label)]),
        "wrong": lambda logits, label: float(any((z > 0) != bool(y) for z, y in zip(logits, label))),
        "divergence": lambda teacher, student: sum(kl(binary(t), binary(s)) for t, s in zip(teacher, student)),
        "uncertainty": lambda logits: np.mean([share(binary(logit)) for logit in logits]),
    },
    REGRESSION: {
        "scores": list,
        "predicted": lambda scores: scores[0],
        "loss": lambda logits, label: (logits[0] - label) ** 2,
        "wrong": lambda logits, label: tanh(abs(logits[0] - label)),
        "divergence": lambda teacher, student: (teacher[0] - student[0]) ** 2,
    },
}
CELLS = {SINGLE_LABEL: ["b", "a", "c", "a"], MULTI_LABEL: [["b"], [], ["a", "c"], ["a"]], REGRESSION: [0.5, -2, 3, 1.5]}
"""Four rows of a table's column of labels."""
SIZES = [1, 2, 4]


def outputs_of(problem):
    return problem.most_outputs or 3


def logits_of(problem, *shape, seed=0):
    """Random logits [*shape, K] of float32, from undecided ones to certain ones."""
    return (np.random.default_rng(seed).normal(size=(*shape, outputs_of(problem))) * 4).astype(np.float32)


def labels_of(problem, rows=4):
    """The labels of the first rows of `CELLS`, as a data set has them."""
    table = Table("some", {"label": CELLS[problem.name]}, [1, 2, 3, 4], "line")
    learned = learn_labels(table, ["label"])
    assert learned.problem is problem
    return learned.encode(table)[:rows]


def by_graph(problem, logits):
    """The scores that an ONNX graph gives."""
    graph = Graph()
    scores = graph.op("Identity", problem.onnx_scores(graph, "logits"))
    given = onnx.helper.make_tensor_value_info("logits", FLOAT, ["rows", logits.shape[1]])
    wanted = onnx.helper.make_tensor_value_info(scores, FLOAT, None)
    (found,) = open_session(make_model(graph, [given], [wanted], 18).SerializeToString()).run(None, {"logits": logits})
    return found


@every
@pytest.mark.parametrize("rows", SIZES)
def test_scores_are_the_same_in_numpy_pytorch_and_onnx(problem, rows):
    logits = logits_of(problem, rows)
    expected = [NAIVE[problem.name]["scores"](row) for row in logits.tolist()]
    tensor = problem.torch_scores(torch.from_numpy(logits)).numpy()
    for scores in (problem.scores(logits), tensor, by_graph(problem, logits)):
        assert (scores.dtype, scores.shape) == (np.float32, logits.shape)
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-7)
    stacked = np.stack([logits, -logits])
    np.testing.assert_array_equal(problem.scores(stacked)[0], problem.scores(logits))


@every
def test_scores_of_the_largest_logits_are_finite(problem):
    logits = logits_of(problem, 4) * np.float32(1e4)
    for scores in (problem.scores(logits), problem.torch_scores(torch.from_numpy(logits)), by_graph(problem, logits)):
        assert np.isfinite(np.asarray(scores)).all()


@every
@pytest.mark.parametrize("rows", SIZES)
def test_the_losses_are_those_of_loops(problem, rows):
    naive, labels = NAIVE[problem.name], labels_of(problem, rows)
    logits, target = logits_of(problem, rows, 3), torch.from_numpy(labels)  # [B, M, K]
    given = torch.from_numpy(logits)
    layers = logits.swapaxes(0, 1).tolist()

    def mean(formula, *columns):
        return np.mean([formula(*row) for row in zip(*columns)])

    expected = [mean(naive["loss"], layer, labels.tolist()) for layer in layers]
    np.testing.assert_allclose(exit_losses(given, target, problem).numpy(), expected, rtol=1e-4, atol=1e-6)
    expected = [[naive["wrong"](one, label) for one in row] for row, label in zip(logits.tolist(), labels.tolist())]
    np.testing.assert_allclose(problem.wrongness(given, target).float().numpy(), expected, rtol=1e-5)
    zero = torch.zeros(rows, 3)
    total = np.square(expected).mean(0).sum()
    assert doubt_loss(zero, given, target, problem).item() == pytest.approx(total, rel=1e-5)
    found = divergence(given[:, 0], given[:, 1], problem).item()
    assert found == pytest.approx(mean(naive["divergence"], layers[0], layers[1]), rel=1e-4)
    assert divergence(given[:, 0], given[:, 0], problem).item() == pytest.approx(0, abs=1e-6)


@named
def test_uncertainty_is_the_share_of_the_largest_entropy(problem):
    logits = logits_of(problem, 4, 3)
    found = uncertainty(torch.from_numpy(logits), problem).numpy()
    np.testing.assert_allclose(
        found, [[NAIVE[problem.name]["uncertainty"](one) for one in row] for row in logits.tolist()], rtol=1e-4
    )
    extreme = torch.tensor([[1e4, -1e4], [0.0, 0.0]], requires_grad=True)
    uncertainty(extreme, problem).sum().backward()
    assert uncertainty(extreme, problem).tolist() == [0, 1]
    assert extreme.grad.isfinite().all()


def test_values_are_learned_in_standard_deviations_and_said_in_their_unit():
    values = np.array([100_000, 250_000, 500_000, 180_000], np.float32)
    plain = PROBLEMS[REGRESSION]
    problem = plain.with_statistics(plain.measure(values, 1))
    mean, std = problem.statistics.mean, problem.statistics.std
    assert (mean, std) == pytest.approx((np.mean(values), np.std(values)))
    logits = logits_of(problem, 4)
    expected = logits.astype(np.float64) * std + mean
    tensor = torch.from_numpy(logits)
    found = (
        problem.scores(logits),
        problem.torch_scores(tensor),
        problem.torch_outputs(tensor),
        by_graph(problem, logits),
    )
    for scores in found:
        assert np.asarray(scores).dtype == np.float32
        np.testing.assert_allclose(scores, expected, rtol=1e-6)
    labels, same = torch.from_numpy(values), torch.from_numpy((values - mean) / std)
    assert problem.loss(tensor, labels).item() == pytest.approx(plain.loss(tensor, same).item(), rel=1e-5)
    wrong = [one.wrongness(tensor.unsqueeze(1), other).numpy() for one, other in ((problem, labels), (plain, same))]
    np.testing.assert_allclose(*wrong, rtol=1e-4)
    assert problem.reach == pytest.approx(100 * std)
    sweep = Patience.sweep(Task(1, 3, REGRESSION, problem.statistics))
    assert max(one.theta for one in sweep) == pytest.approx(101 * std, rel=1e-6)
    assert any(0 < one.theta < std / 100 for one in sweep)


@pytest.mark.parametrize(
    "values", [[7.0], [3.0, 3.0, 3.0], [1e30, 2e30], [1e-30, 2e-30], [-1e6, 1e6], [0.0, 0.0]], ids=str
)
def test_statistics_of_any_values_are_finite(values):
    plain, labels = PROBLEMS[REGRESSION], np.array(values, np.float32)
    problem = plain.with_statistics(plain.measure(labels, 1))
    assert problem.statistics.fits(1)
    assert problem.loss(torch.zeros(len(values), 1), torch.from_numpy(labels)).isfinite()
    assert np.isfinite(problem.scores(np.ones((1, 1), np.float32))).all()
    thresholds = [one.theta for one in Patience.sweep(Task(1, 2, REGRESSION, problem.statistics))]
    assert thresholds == sorted(thresholds)
    assert len(set(thresholds)) == len(thresholds)


@named
def test_balanced_labels_weigh_the_same(problem):
    """By loops: of each label alone the texts together weigh what others do, in batches of any size alike."""
    cells = {SINGLE_LABEL: [0, 0, 0, 2], MULTI_LABEL: [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1]]}[problem.name]
    labels = np.array(cells, problem.dtype)
    balanced = problem.with_statistics(problem.measure(labels, 3, balanced=True))
    weights = balanced.statistics.weights
    assert problem.measure(labels, 3).weights is None
    logits = logits_of(problem, 4)
    if problem.has_classes:
        assert weights == pytest.approx((4 / (2 * 3), 1, 4 / (2 * 1)))
        each = [-log(softmax(row)[label]) for row, label in zip(logits.tolist(), cells)]
        expected = np.average(each, weights=[weights[label] for label in cells])
    else:
        assert weights == pytest.approx((3, 3, 3))
        terms = [
            [-w * log(sigmoid(z)) if y else -log(sigmoid(-z)) for z, y, w in zip(*row, weights)]
            for row in zip(logits.tolist(), cells)
        ]
        expected = np.mean(terms)
    for size in (1, 2, 4):
        batches = [slice(start, start + size) for start in range(0, 4, size)]
        losses = [balanced.loss(torch.from_numpy(logits[one]), torch.from_numpy(labels[one])).item() for one in batches]
        assert np.mean(losses) == pytest.approx(expected, rel=1e-4)


@every
def test_the_gradient_of_the_loss_is_that_of_differences(problem):
    logits = torch.from_numpy(logits_of(problem, 4)).double().requires_grad_()
    labels = torch.from_numpy(labels_of(problem))
    assert_gradient(lambda: problem.loss(logits, labels), [logits])
    assert problem.loss(logits * 1e4, labels).isfinite()


@every
@pytest.mark.parametrize("rows", SIZES)
def test_predictions_what_is_right_and_what_is_said_go_together(problem, rows):
    scores, names = problem.scores(logits_of(problem, 5, rows)), ["a", "b", "c"][: outputs_of(problem)]  # [M, N, K]
    predictions = problem.predictions(scores)
    assert predictions.shape == (5, rows, *problem.label_shape(outputs_of(problem)))
    expected = [[NAIVE[problem.name]["predicted"](one) for one in layer] for layer in scores.tolist()]
    np.testing.assert_allclose(predictions, expected)
    for labels in (labels_of(problem, rows), predictions[0].astype(problem.dtype)):
        right = problem.right(scores, labels)
        same = [[np.array_equal(one, label) for one, label in zip(layer, labels)] for layer in predictions]
        assert right.dtype == bool
        np.testing.assert_array_equal(right, same)
    assert right[0].all()
    said = [problem.named(one, names) for one in predictions[0]]
    assert {type(one) for one in said} == {type(problem.named(one, names)) for one in labels_of(problem)}
    assert problem.alike(scores[0], scores[0], 0.1).all()
    assert not problem.alike(scores[0], -logits_of(problem, rows), 0.1).all()


@every
def test_labels_are_what_a_table_says(problem):
    labels, outputs = labels_of(problem), outputs_of(problem)
    assert (labels.dtype, labels.shape) == (problem.dtype, (4, *problem.label_shape(outputs)))
    names = ["a", "b", "c"][:outputs]
    said = [problem.named(label, names) for label in labels]
    assert said == [tuple(cell) if isinstance(cell, list) else cell for cell in CELLS[problem.name]]
    assert PROBLEMS[problem.name] is problem
    assert problem.metric in METRICS
    assert problem.fits(len(problem.output_names(names if problem.has_names else [])))
    assert not problem.fits(0)


@named
def test_labels_are_counted_and_renumbered_by_name(problem):
    labels, names, others = labels_of(problem), ["a", "b", "c"], ["c", "d", "a", "b"]
    moved = problem.renumber(labels, np.array([others.index(name) for name in names]), len(others))
    assert moved.dtype == labels.dtype
    for one, other in zip(labels, moved):
        assert sorted(problem.named(other, others)) == sorted(problem.named(one, names))
    for index, name in enumerate(names):
        holds = [name in cell for cell in CELLS[problem.name]]
        assert problem.has_label(labels, index).tolist() == holds


@named
@pytest.mark.parametrize("outputs", [2, 5])
def test_who_knows_nothing_has_the_largest_entropy(problem, outputs):
    undecided = problem.distributions(problem.scores(np.zeros((1, outputs))))
    assert entropy(undecided).item() == pytest.approx(problem.largest_entropy(outputs))
    scores = problem.scores(np.random.default_rng(0).normal(size=(50, outputs)))
    assert (entropy(problem.distributions(scores)) < problem.largest_entropy(outputs)).all()


@unnamed
def test_values_have_neither_names_nor_distributions(problem):
    some = np.zeros((2, 1))
    for ask in (
        lambda: problem.renumber(some, some, 1),
        lambda: problem.has_label(some, 0),
        lambda: problem.distributions(some),
        lambda: problem.largest_entropy(1),
    ):
        with pytest.raises(NotImplementedError, match=f"the outputs of a {problem.name} are values"):
            ask()


@every
def test_a_padded_batch_is_worth_its_texts(tokenizer, problem):
    """The loss of texts of other lengths is the mean of the losses of each alone, and the answers are the same."""
    model = text_model(tokenizer, outputs=outputs_of(problem), problem_type=problem.name)
    encodings = encode(tokenizer, sentences(4, seed=2), model.max_length, print)
    rows = [{**encoding, "labels": label} for encoding, label in zip(encodings, labels_of(problem))]
    assert len({len(row["input_ids"]) for row in rows}) > 1
    with torch.no_grad():
        together = model(**collate(tokenizer, rows))
        alone = [model(**collate(tokenizer, [row])) for row in rows]
    assert together.loss.isfinite()
    assert together.loss.item() == pytest.approx(np.mean([one.loss.item() for one in alone]), rel=1e-4)
    said = [answer.label for answer in model.predict(sentences(4, seed=2), batch_size=4)]
    predictions = [problem.predictions(problem.scores(one.logits.numpy()))[0] for one in alone]
    expected = [problem.named(one, model.config.label_names) for one in predictions]
    assert said == (expected if problem.has_names else pytest.approx(expected, abs=1e-4))
