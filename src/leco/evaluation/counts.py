"""How many texts leave at each layer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Task, first_counted
from leco.data import Split
from leco.runtime import Predictor


def counts(exit_layers: NDArray[Any], task: Task) -> list[int]:
    """How many texts leave at each layer, of all from `first_counted` on."""
    every = np.bincount(exit_layers, minlength=task.num_layers + 1)
    return every[first_counted(task.exit_layers) :].tolist()


def counts_by_label(split: Split, predictor: Predictor, exit_layers: NDArray[Any]) -> dict[str, list[int]]:
    """How many texts with each label leave at each layer; a text with many labels counts for each of them.

    Empty for a regression.
    """
    problem = predictor.problem
    if not problem.has_names:
        return {}
    return {
        name: counts(exit_layers[problem.has_label(split.labels, index)], predictor.task)
        for index, name in enumerate(predictor.label_names)
    }
