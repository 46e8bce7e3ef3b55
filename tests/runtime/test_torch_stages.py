"""The PyTorch model in the loop decides as the simulation over the stored outputs of its exits does."""

import numpy as np
import pytest
import torch

from leco.criteria import CRITERIA, simulate
from leco.data import encode
from leco.evaluation.scores import exit_outputs
from leco.model import ModelStages
from leco.problems import REGRESSION
from leco.runtime import decide
from tiny import sentences, text_model

FITTING = [
    (criterion, problem_type)
    for criterion in CRITERIA.values()
    if criterion.deployable
    for problem_type in sorted(criterion.problem_types)
]


@torch.inference_mode()
@pytest.mark.parametrize(("criterion", "problem_type"), FITTING)
def test_engine_equals_simulation(tokenizer, criterion, problem_type):
    model = text_model(tokenizer, outputs=1 if problem_type == REGRESSION else 3, problem_type=problem_type)
    encodings = encode(tokenizer, sentences(24, seed=1), model.max_length, print)
    stored, doubts = exit_outputs(model, encodings, batch_size=10)
    settings = criterion.sweep(model.task)
    found = set()
    for setting in [*settings[:: max(len(settings) // 10, 1)], settings[-1]]:
        expected = simulate(setting, stored, model.task, doubts)
        decisions = decide(ModelStages(model), encodings, setting, batch_size=7)
        np.testing.assert_array_equal(decisions.exit_layers, expected)
        np.testing.assert_allclose(decisions.scores, stored[expected - 1, np.arange(24)], rtol=0, atol=1e-5)
        found.update(expected.tolist())
    assert len(found) > 1
