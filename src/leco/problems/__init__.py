"""The kinds of problem. All that depends on the kind asks an object of this table. A new one is a file and a line."""

from collections.abc import Mapping

from leco.problems.base import Label, Nodes, Problem
from leco.problems.many_labels import ManyLabels
from leco.problems.regression import Regression
from leco.problems.single_label import SingleLabel
from leco.problems.statistics import NO_STATISTICS, LabelStatistics

PROBLEMS: Mapping[str, Problem] = {kind.name: kind for kind in (SingleLabel(), ManyLabels(), Regression())}
"""Each kind under Transformers' name of it."""

SINGLE_LABEL = SingleLabel.name
"""The name of the kind in which a text has one label of many."""
MULTI_LABEL = ManyLabels.name
"""The name of the kind in which a text may have several labels, or none."""
REGRESSION = Regression.name
"""The name of the kind in which a text has a value."""

TASKS = {"classification": SINGLE_LABEL, "multi-label": MULTI_LABEL, "regression": REGRESSION}
"""The kinds as users name them."""


def unnamed_problem(num_outputs: int) -> Problem:
    """What Transformers takes a classifier for whose configuration names no kind: one output is a value.

    >>> unnamed_problem(1).name, unnamed_problem(3).name
    ('regression', 'single_label_classification')
    """
    return PROBLEMS[REGRESSION if num_outputs == 1 else SINGLE_LABEL]


__all__ = [
    "MULTI_LABEL",
    "NO_STATISTICS",
    "PROBLEMS",
    "REGRESSION",
    "SINGLE_LABEL",
    "TASKS",
    "Label",
    "LabelStatistics",
    "ManyLabels",
    "Nodes",
    "Problem",
    "Regression",
    "SingleLabel",
    "unnamed_problem",
]
