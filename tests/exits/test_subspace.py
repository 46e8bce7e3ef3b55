"""The share of the features that a classifier does not see, against the published formula."""

import numpy as np
import pytest
import torch
from torch import nn

from leco.criteria import Cap, simulate
from leco.data import collate
from leco.exits.architecture import LINEAR, MHA, PAST_FUTURE
from leco.exits.standardize import StateStatistics, Statistics
from leco.exits.subspace import Subspace, evidence
from leco.model import build_model, load_model
from leco.problems import SINGLE_LABEL
from tiny import bert, sentences, text_model


def by_the_formula(f, weight, bias):
    """`sqrt(1 - |P f'|^2 / |f'|^2)` of one row, in float64, with the projection from the normal equations."""
    f, w, b = f.double(), weight.double(), bias.double()
    shifted = f + torch.linalg.pinv(w) @ b
    projection = w.T @ torch.linalg.inv(w @ w.T) @ w
    return (1 - (projection @ shifted).square().sum() / shifted.square().sum()).sqrt()


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_share_is_that_of_the_formula(outputs):
    torch.manual_seed(0)
    linear, features = nn.Linear(8, outputs), torch.randn(5, 8)
    found = Subspace.of(linear.weight, linear.bias).unseen(features)
    expected = torch.stack([by_the_formula(row, linear.weight, linear.bias) for row in features])
    torch.testing.assert_close(found, expected.float())
    seen = evidence(linear(features), features, Subspace.of(linear.weight, linear.bias))
    torch.testing.assert_close(seen[:, 0], linear(features).exp().sum(-1).log())
    torch.testing.assert_close(seen[:, 1], found)


def test_what_is_seen_whole_and_not_at_all():
    weight, bias = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]), torch.zeros(2)
    features = torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0], [0.0, 3.0, 4.0]])
    assert Subspace.of(weight, bias).unseen(features).tolist() == pytest.approx([0, 1, 1, 0.8])


def test_rows_that_say_the_same_and_more_outputs_than_features_are_no_error():
    same = torch.tensor([[1.0, 1.0, 0.0], [-1.0, -1.0, 0.0]])
    assert Subspace.of(same, torch.zeros(2)).unseen(torch.tensor([[0.0, 0.0, 5.0], [2.0, 2.0, 0.0]])).tolist() == (
        pytest.approx([1, 0], abs=1e-6)
    )
    torch.manual_seed(0)
    many = nn.Linear(2, 5)
    assert Subspace.of(many.weight, many.bias).unseen(torch.randn(3, 2)).tolist() == pytest.approx([0] * 3, abs=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("architecture", [LINEAR, MHA, PAST_FUTURE], ids=lambda one: one.kind)
def test_exits_that_read_standardized_states_leave_where_the_saved_ones_do(tokenizer, tmp_path, architecture):
    torch.manual_seed(0)
    states = Statistics(torch.randn(3, 16), torch.rand(3, 16) + 0.5)
    model = build_model(
        bert(vocab_size=len(tokenizer), max_position_embeddings=40, pad_token_id=0),
        [architecture] * 3,
        list("abc"),
        problem_type=SINGLE_LABEL,
        states=StateStatistics(states, states),
    ).eval()
    model.tokenizer = tokenizer
    model.save_pretrained(tmp_path)
    encodings = model.encode(sentences(12))
    stored, observed = model.exit_outputs(encodings)
    _, saved = load_model(tmp_path).exit_outputs(encodings)
    np.testing.assert_allclose(observed["evidence"], saved["evidence"], atol=1e-4)
    assert ((saved["evidence"][..., 1] > 0) & (saved["evidence"][..., 1] <= 1)).all()
    criterion = Cap(tau=float(np.median(1 / (1 + np.exp(observed["evidence"][0] @ [1, -1])))))
    layers = simulate(criterion, stored, model.task, observed)
    assert len({*layers.tolist()}) > 1
    assert model.decide(encodings, criterion).exit_layers.tolist() == layers.tolist()


@torch.no_grad()
@pytest.mark.parametrize("architecture", [LINEAR, MHA], ids=lambda one: one.kind)
def test_the_evidence_is_that_of_the_logits_and_of_the_features_that_they_are_made_of(tokenizer, architecture):
    model = text_model(tokenizer, architectures=[architecture])
    encodings = model.encode(sentences(6))
    _, observed = model.exit_outputs(encodings, batch_size=4)
    for row, encoding in enumerate(encodings):
        output = model(**collate(tokenizer, [encoding]), output_cls_states=True)
        known = output.exit_logits[:, 0].logsumexp(-1)
        np.testing.assert_allclose(observed["evidence"][:, row, 0], known, atol=1e-5)
        for layer, exit_ in enumerate(model.exits, start=1):
            if architecture is LINEAR:
                expected = by_the_formula(output.cls_by_row[0, layer - 1], *exit_.classifier.parameters())
                assert observed["evidence"][layer - 1, row, 1] == pytest.approx(expected.item(), abs=1e-5)
