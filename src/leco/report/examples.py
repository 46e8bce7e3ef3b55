"""Texts that leave first and last."""

from dataclasses import dataclass

import numpy as np

from leco.data import Split, TextData
from leco.display import listed, shortened
from leco.evaluation.tokens import tokens
from leco.problems import Label
from leco.progress import progress_bar
from leco.runtime import Answer, Predictor, answers

LONGEST = 400
"""Characters of a text that are shown."""


@dataclass(frozen=True)
class Example:
    """A text (a pair has two parts), what it is, what the model says of it, and the layer at which it left.

    `right` is whether the two are the same; None for a regression, where they hardly ever are.
    """

    parts: tuple[str, ...]
    truth: str
    answer: str
    right: bool | None
    exit_layer: int


def first_and_last(predictor: Predictor, data: TextData, number: int = 6) -> tuple[list[Example], list[Example]]:
    """So many texts of the test split that leave first, and so many that leave last, by its own criterion.

    Texts that leave at the same layer keep the order of the data, so that the last ones are its last.
    """
    with progress_bar("answering the test texts", len(data.test)) as advance:
        decisions = predictor.decide(tokens(predictor, data.test), batch_size=32, on_batch=advance)
    said = answers(decisions, predictor.label_names, predictor.task.problem_type)

    rows = np.argsort(decisions.exit_layers, kind="stable").tolist()
    first, last = (
        [_example(data.test, row, said[row], predictor) for row in some[:number]] for some in (rows, rows[::-1])
    )
    return first, last


def _example(split: Split, row: int, answer: Answer, predictor: Predictor) -> Example:
    text, label, names = split.texts[row], split.labels[row], predictor.label_names
    pair = (text,) if isinstance(text, str) else text
    parts = tuple(part if len(part) <= LONGEST else part[:LONGEST] + " …" for part in pair)
    true = predictor.problem.named(label, names)
    right = true == answer.label if predictor.problem.has_names else None
    return Example(parts, _shown(true), _shown(answer.label), right, answer.exit_layer)


def _shown(label: Label) -> str:
    if isinstance(label, float):
        return f"{label:.2f}"
    return shortened(label) if isinstance(label, str) else listed(label, 5) or "none"
