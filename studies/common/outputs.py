"""What the exits of a cell said of dev and test, where it has run."""

import numpy as np

from leco.criteria import DOUBTS, EVIDENCE, Task
from leco.evaluation.contest import kinds_named
from leco.evaluation.scores import Stored
from leco.settings import AUTO


def stored_outputs(results, cell, glue_dir):
    """All that a cell of the folder `results` has kept of dev and of test, as the evaluation takes it."""
    data, outputs = cell.data(glue_dir), np.load(results.outputs(cell))
    return [
        Stored(
            outputs[f"{name}_scores"],
            split,
            data.metric,
            data.problem_type,
            {what: outputs[f"{name}_{what}"] for what in (DOUBTS, EVIDENCE) if f"{name}_{what}" in outputs},
        )
        for name, split in (("dev", data.dev), ("test", data.test))
    ]


def task_of(stored):
    """What criteria need to know of a model with an exit on each layer, by what these said."""
    return Task(stored.scores.shape[-1], len(stored.scores), stored.problem_type)


def kinds_for(stored):
    """The kinds of criteria that can be tried on what is stored."""
    observed = (None, *stored.observed)
    return [one for one in kinds_named(AUTO) if stored.problem_type in one.problem_types and one.observes in observed]
