"""The bound that no criterion can pass, for analysis: an oracle that knows the labels chooses the exit layers."""

from dataclasses import dataclass

import numpy as np

from leco.criteria import Oracle, State, Static, Task
from leco.evaluation.scores import Array, Stored
from leco.evaluation.speedup import OperatingPoint


@dataclass(frozen=True)
class StaticWithAllExits(Static):
    """A fixed exit layer up to which every exit is computed, so that it costs what another criterion does.

    A layer of 0 is the embeddings, not the last one.
    """

    def uses(self, layer: int) -> bool:
        """Every exit is computed."""
        return True

    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """All leave at the appointed layer."""
        return np.full(len(scores), layer == self.layer), state


def bound(dev: Stored, test: Stored, task: Task) -> list[OperatingPoint]:
    """The oracle's operating points: for each m, each text leaves at its first right layer if that is <= m, else first.

    Where the score is the accuracy, no choice of exit layers at all that saves as much scores higher than the line
    through these points: a right answer costs the layers above the first exit's more than none, and the cheapest are
    taken first. For other scores it is what such an oracle reaches. The slowest comes first; to save less than it gains
    no score. Empty for a regression, where no answer is simply right.
    """
    if task.problem_type not in Oracle.problem_types:
        return []
    on_dev, on_test = first_right(dev, task), first_right(test, task)
    points = []
    for most in reversed(task.exit_layers):
        dev_layers, test_layers = (np.where(first <= most, first, task.exit_layers[0]) for first in (on_dev, on_test))
        setting = {"name": Oracle.name, "up_to": most}
        points.append(OperatingPoint(setting, dev.at(dev_layers), test_layers, StaticWithAllExits))
    return points


def first_right(stored: Stored, task: Task) -> Array:
    """The first layer [N] whose exit is right, the first that has one where none is."""
    return np.asarray(task.exit_layers)[stored.problem.right(stored.scores, stored.split.labels).argmax(0)]
