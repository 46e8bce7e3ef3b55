"""What early exiting comes to by tabled times: criterion and exits chosen on dev, score and time there and on test.

Times are those of `leco/search/operation_costs.json`, in costs of the MHA exit.
"""

import numpy as np

from leco.criteria import Task, criterion_from_dict
from leco.evaluation.contest import hold_contest
from leco.evaluation.exit_times import ExitTimes
from leco.evaluation.pruning import prune, seconds_by_layer
from studies.common.outputs import kinds_for, task_of

MAX_DROP = 0.01
"""The drop of the score that is allowed."""


def winner(dev):
    """The kind of criterion that wins the contest on dev's outputs."""
    task = task_of(dev)
    kinds = [kind for kind in kinds_for(dev) if not kind.observes]
    return type(hold_contest(kinds, dev, task, MAX_DROP).criterion)


def chosen(kind, dev, test, costs, length, exits, first=0):
    """The choice on dev of all exits' outputs, and once those are dropped that are not worth their time, by precision.

    `exits` are the costs of the exits, of which the `first` are on the embeddings, before any layer, for texts of so
    many tokens.
    """
    task = task_of(dev)
    for precision, layer in costs.layer.items():
        layers = [float(np.interp(length, costs.lengths, layer))] * (len(exits) - first)
        times = ExitTimes([*[0.0] * first, *layers], dict(enumerate(exits, start=1)))
        found = prune(kind, dev, task, MAX_DROP, times)
        for kept, step in (("all", found.steps[0]), ("pruned", found.best)):
            some = Task(task.num_outputs, task.num_layers, task.problem_type, exit_layers=tuple(step.exit_layers))
            criterion = criterion_from_dict(step.criterion)
            left = test.only(step.exit_layers).exit_layers(criterion, some)
            yield {
                "precision": precision,
                "exits": kept,
                "exit_layers": [layer - first for layer in step.exit_layers],
                "criterion": str(criterion),
                "dev_score": step.score,
                "dev_time": step.seconds,
                "test_score": test.at(left),
                "test_time": float(seconds_by_layer(criterion, some, times)[left].mean()),
            }
