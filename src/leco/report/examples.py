"""Texts that leave first and last."""

from dataclasses import dataclass

import numpy as np
import torch

from leco.data import Split, TextData
from leco.display import listed, shortened
from leco.evaluation.evaluate import tokens
from leco.model import ModelStages, MultiExitModel
from leco.problems import Label
from leco.progress import progress_bar
from leco.runtime import Answer, answers, decide

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


@torch.inference_mode()
def first_and_last(model: MultiExitModel, data: TextData, number: int = 6) -> tuple[list[Example], list[Example]]:
    """So many texts of the test split that leave first, and so many that leave last, by the model's own criterion.

    Texts that leave at the same layer keep the order of the data, so that the last ones are its last.
    """
    model.eval()
    with progress_bar("answering the test texts", len(data.test)) as advance:
        decisions = decide(
            ModelStages(model), tokens(model, data.test), model.config.criterion, batch_size=32, on_batch=advance
        )
    said = answers(decisions, model.config.label_names, model.config.problem_type)

    rows = np.argsort(decisions.exit_layers, kind="stable").tolist()
    first, last = ([_example(data.test, row, said[row], model) for row in some[:number]] for some in (rows, rows[::-1]))
    return first, last


def _example(split: Split, row: int, answer: Answer, model: MultiExitModel) -> Example:
    text, label, names = split.texts[row], split.labels[row], model.config.label_names
    pair = (text,) if isinstance(text, str) else text
    parts = tuple(part if len(part) <= LONGEST else part[:LONGEST] + " …" for part in pair)
    true = model.task.problem.named(label, names)
    right = true == answer.label if model.task.problem.has_names else None
    return Example(parts, _shown(true), _shown(answer.label), right, answer.exit_layer)


def _shown(label: Label) -> str:
    if isinstance(label, float):
        return f"{label:.2f}"
    return shortened(label) if isinstance(label, str) else listed(label, 5) or "none"
