"""Outputs of exits as evaluations store them, made up."""

import numpy as np

from leco.criteria import DOUBTS, EVIDENCE, Task
from leco.data import Split
from leco.evaluation.scores import Stored
from leco.problems import SINGLE_LABEL

LAYERS, ROWS, OUTPUTS = 6, 200, 3
TASK = Task(OUTPUTS, LAYERS)


def stored(seed=0, groups=None):
    """Exits that are right more often, and surer, from layer to layer."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, OUTPUTS, ROWS)
    truth = np.eye(OUTPUTS)[labels]
    logits = random.normal(size=(LAYERS, ROWS, OUTPUTS)) + np.linspace(0.3, 3, LAYERS)[:, None, None] * truth
    exponents = np.exp(logits)
    scores = (exponents / exponents.sum(-1, keepdims=True)).astype(np.float32)
    split = Split(["a text"] * ROWS, labels, groups)
    doubts = 1 - scores.max(-1)
    return Stored(
        scores, split, "accuracy", SINGLE_LABEL, {DOUBTS: doubts, EVIDENCE: np.stack([1 - doubts, doubts], axis=-1)}
    )
