"""The exits of Global Past-Future against their equation, alone and in a model that lets rows go."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from leco import Cobee, LecoError, MaxProbability, Static
from leco.data import collate, encode
from leco.exits.architecture import LINEAR, PAST_FUTURE
from leco.exits.modules import build_exits
from leco.model import MultiExitModel
from leco.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from leco.training.strategies import STRATEGIES, Phase, TrainingStep
from tiny import bert, multi_exit, randomize, sentences, texts

M, B, D, K = 4, 3, 6, 2


def cls_states(seed=0):
    """Random [CLS] states [M, B, d]."""
    return torch.randn(M, B, D, generator=torch.Generator().manual_seed(seed))


def exits():
    made = build_exits([PAST_FUTURE] * M, D, K)
    randomize(made)
    return made


def all_logits(made, states):
    memory, logits = None, []
    for layer, state in enumerate(states, start=1):
        hidden = torch.stack([state, torch.randn(B, D)], dim=1)  # of the other tokens nothing is seen
        memory = made.remember(layer, hidden, memory)
        logits.append(made.logits(layer, hidden, None, memory))
    return torch.stack(logits)


def by_the_equation(made, c):
    """`logits_m` of one row with the [CLS] states c [M][d]."""
    W, b = [part.projection.weight for part in made], [part.projection.bias for part in made]
    A = [None if part.imitation is None else part.imitation.weight for part in made]
    logits = []
    for m in range(M):
        past, future, mean = torch.zeros(K), torch.zeros(K), torch.zeros(K)
        for j in range(M):
            if j <= m:
                projected = W[j] @ c[j] + b[j]
                past, mean = past + projected[:K], mean + projected[K:] / (m + 1)
            else:
                future = future + (W[j] @ torch.tanh(A[j] @ c[m]) + b[j])[:K]
        g = 1 / (1 + torch.exp(-(made[m].gate.weight @ torch.tanh(mean) + made[m].gate.bias)))
        logits.append(2 * g * past + 2 * (1 - g) * future)
    return torch.stack(logits)


def test_logits_against_a_loop():
    made, states = exits(), cls_states()
    found = all_logits(made, states)
    for row in range(B):
        torch.testing.assert_close(found[:, row], by_the_equation(made, states[:, row]), atol=1e-5, rtol=0)


def test_gradients_reach_every_parameter():
    made, states = exits().double(), cls_states().double().requires_grad_()
    assert torch.autograd.gradcheck(lambda states: all_logits(made, states), states)
    all_logits(made, states).sum().backward()
    assert [name for name, parameter in made.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize(("num_layers", "hidden_size", "num_outputs"), [(12, 768, 2), (6, 384, 3), (1, 8, 1)])
def test_counts_of_parameters(num_layers, hidden_size, num_outputs):
    with torch.device("meta"):
        made = build_exits([PAST_FUTURE] * num_layers, hidden_size, num_outputs)
    projections = num_layers * 2 * num_outputs * (hidden_size + 1)
    gates = num_layers * num_outputs * (num_outputs + 1)
    expected = projections + (num_layers - 1) * hidden_size**2 + gates
    assert sum(parameter.numel() for parameter in made.parameters()) == expected


def test_all_exits_are_past_future_exits_or_none():
    with pytest.raises(LecoError, match="exit on layer 2 is not of kind 'past-future', but others are"):
        build_exits([PAST_FUTURE, LINEAR, PAST_FUTURE], D, K)


def test_the_loss_against_a_loop_and_what_is_imitated_is_left_alone():
    model = multi_exit(bert(num_hidden_layers=M), [PAST_FUTURE])
    strategy, labels = STRATEGIES["global-past-future"](), torch.tensor([2, 0, 1])
    output = strategy.forward(model, texts(11, 5, 2), M)
    losses = [F.cross_entropy(logits, labels) for logits in output.exit_logits]
    expected = sum(m * loss for m, loss in enumerate(losses, start=1)) / sum(range(1, M + 1))
    for m in range(1, M):
        distances = []
        for j in range(m + 1, M + 1):
            for row in range(3):
                imagined = torch.tanh(model.exits[j - 1].imitation.weight @ output.cls_by_row[row, m - 1])
                real = output.cls_by_row[row, j - 1]
                distances.append(1 - imagined @ real / (imagined.norm() * real.norm()))
        expected = expected + sum(distances) / len(distances) / (M - 1)
    torch.testing.assert_close(strategy.loss(model, output, labels, TrainingStep(Phase(), 0, 0)), expected / 2)
    (gradient,) = torch.autograd.grad(strategy.imitation_loss(model, output), output.cls_by_row)
    assert gradient[:, :-1].abs().sum(-1).min() > 0
    assert (gradient[:, -1] == 0).all()


@pytest.fixture
def model(tokenizer):
    backbone = bert(vocab_size=len(tokenizer), num_hidden_layers=6, max_position_embeddings=40, pad_token_id=0)
    made = multi_exit(backbone, [PAST_FUTURE])
    made.tokenizer = tokenizer
    with torch.no_grad():  # what the exits say is to differ from text to text
        means = full_depth(made, sentences(40)).cls_by_row.mean(0)
        for part, mean in zip(made.exits, means):
            weight = part.projection.weight
            weight.sub_(torch.outer(weight @ mean, mean) / mean.square().sum()).mul_(3)
            part.projection.bias.zero_()
            if part.imitation is not None:
                part.imitation.weight.mul_(0.1)
    return made


@torch.no_grad()
def full_depth(model, given):
    """The output for texts in one batch, of which none leaves."""
    inputs = collate(model.tokenizer, encode(model.tokenizer, given, model.max_length, print))
    return model(**inputs, output_cls_states=True)


@pytest.mark.parametrize("criterion", [Static(3), Static(), MaxProbability(0.8), Cobee(0.3)], ids=str)
def test_rows_leave_with_what_full_depth_says(model, criterion):
    """Also where a criterion skips exits, which are to be remembered nevertheless."""
    given = [*sentences(40), "", "good " * 200]
    expected = model.task.problem.torch_scores(full_depth(model, given).exit_logits).numpy()
    found = {size: model.predict(given, criterion, batch_size=size) for size in (1, 7, 64)}
    layers = [answer.exit_layer for answer in found[1]]
    assert isinstance(criterion, Static) or len(set(layers)) > 2
    for answers in found.values():
        assert [answer.exit_layer for answer in answers] == layers
        scores = [list(answer.scores.values()) for answer in answers]
        np.testing.assert_allclose(scores, expected[np.array(layers) - 1, range(len(given))], rtol=0, atol=1e-5)


@pytest.mark.parametrize("problem_type", [SINGLE_LABEL, MULTI_LABEL, REGRESSION])
def test_saved_loaded_copied_and_moved_it_is_the_same(problem_type, tmp_path):
    model = multi_exit(bert(), [PAST_FUTURE], problem_type=problem_type)
    model.save_pretrained(tmp_path)
    loaded, inputs = MultiExitModel.from_pretrained(tmp_path).eval(), texts(11, 5, 2)
    expected = model(**inputs).exit_logits
    assert loaded.config.exits == [PAST_FUTURE] * 3
    torch.testing.assert_close(loaded(**inputs).exit_logits, expected)
    torch.testing.assert_close(copy.deepcopy(model)(**inputs).exit_logits, expected)
    torch.testing.assert_close(model.double()(**inputs).exit_logits.float(), expected, rtol=0, atol=1e-4)
