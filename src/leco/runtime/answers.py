"""What a user gets for a text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from leco.problems import PROBLEMS, Label
from leco.runtime.engine import Decisions


@dataclass(frozen=True)
class Answer:
    """The label of a text, the score of each label, and the layer at which it left, counted from 1
    (0 is the embeddings).

    For one label among many, `label` is its name and `scores` are probabilities that sum to 1. Where a text may
    have several, `label` is the tuple of those with a probability above one half. For a regression `label` is the
    value and `scores` names the one output.

    >>> answer = Answer("positive", {"negative": 0.1, "positive": 0.9}, exit_layer=2)
    >>> answer.label, answer.scores[answer.label], answer.exit_layer
    ('positive', 0.9, 2)
    """

    label: Label
    scores: dict[str, float]
    exit_layer: int

    def to_dict(self) -> dict[str, Any]:
        """The answer as a JSON object."""
        return asdict(self)


def answers(decisions: Decisions, label_names: Sequence[str], problem_type: str) -> list[Answer]:
    """One answer for each of the N rows of the `decisions`, in their order.

    `label_names` are those of the K outputs, `problem_type` is Transformers' name of the kind of problem.

    >>> import numpy as np
    >>> decisions = Decisions(scores=np.array([[0.25, 0.75]]), exit_layers=np.array([2]))
    >>> answers(decisions, ["negative", "positive"], "single_label_classification")[0].label
    'positive'
    """
    problem = PROBLEMS[problem_type]
    rows = zip(
        problem.predictions(decisions.scores), decisions.scores.tolist(), decisions.exit_layers.tolist(), strict=True
    )
    return [
        Answer(problem.named(prediction, label_names), dict(zip(label_names, scores, strict=True)), layer)
        for prediction, scores, layer in rows
    ]
