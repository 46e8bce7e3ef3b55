"""What the labels of a run's training rows say."""

import numpy as np

from leco.data import TextData
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.problems import Problem
from leco.progress import say
from leco.training.options import BALANCED, RunOptions

NEARLY_ALL = 0.95
"""The share of the training rows from which on one label is said to be nearly all."""


def learned_problem(texts: TextData, run: RunOptions) -> Problem:
    """The kind of problem, with the statistics of the training rows' labels."""
    problem, balanced = texts.problem, run.class_weights == BALANCED
    return problem.with_statistics(problem.measure(texts.train.labels, texts.num_outputs, balanced=balanced))


def check_labels(texts: TextData, run: RunOptions) -> None:
    """LecoError for weights of labels where there are none; a line where one label is nearly all."""
    problem, flag = texts.problem, parameter("class_weights")
    if run.class_weights == BALANCED and not problem.has_names:
        raise LecoError(f"{flag} {BALANCED} weighs labels, but {texts.name} has values, which are a {problem.name}.")
    if run.class_weights == BALANCED or not problem.has_classes:
        return
    counts = np.bincount(texts.train.labels, minlength=texts.num_outputs)
    share = counts.max() / counts.sum()
    if share > NEARLY_ALL:
        name = shortened(texts.label_names[counts.argmax()])
        say(
            f"{share:.1%} of the training texts have the label '{name}': a model that always says so is right as "
            f"often. {flag} {BALANCED} lets rare labels count as much; {parameter('metric')} macro-f1 judges by all."
        )
