"""Grids of settings for the sweeps, from conservative to aggressive."""

import numpy as np

from leco.criteria.base import Task


def rising(largest: float = 1.0, points: int = 40) -> list[float]:
    """Thresholds on a disagreement: from 0 to just over `largest`, denser near 0 where confident models decide.

    They are rounded, so that they read well where they are printed.
    """
    return [0.0, *(round(float(tau), 7) for tau in largest * np.geomspace(1e-5, 1.01, points))]


def falling(largest_step: float = 1.0, points: int = 120) -> list[float]:
    """Thresholds on a confidence: from 1 down by just over `largest_step`, denser near 1, never below 0."""
    return [round(max(1.0 - step, 0.0), 7) for step in rising(largest_step, points)]


def changes(task: Task) -> list[float]:
    """Thresholds on the change of one output from exit to exit: a probability, or a value in its unit."""
    unit = task.statistics.std
    return [float(f"{unit * tau:.9g}") for tau in rising(task.problem.reach / unit)]


def patiences(task: Task) -> range:
    """Patience values from E - 1, with which a criterion that compares exits cannot leave early, down to 1."""
    return range(max(task.num_exits - 1, 1), 0, -1)


def largest_entropy(task: Task) -> float:
    """The entropy in nats of K equal probabilities, or of K undecided labels where a text may have many."""
    return task.problem.largest_entropy(task.num_outputs)
