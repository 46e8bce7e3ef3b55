"""The order in which settings are tested, found on texts that do not certify."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from leco.calibration import Order, Step
from leco.criteria import Criterion, Task
from leco.evaluation.curve import spread
from leco.evaluation.scores import Stored, settings
from leco.options import settings_of

POINTS = 40
"""About how many settings of each kind of criterion."""


def order_on(stored: Stored, kinds: Sequence[type[Criterion]], task: Task, source: str) -> Order:
    """For each kind the settings that are best at what they save (`spread`), from the latest exits to the earliest.

    Those by which no text leaves early are left out: there is nothing to test.
    """
    chains = {}
    for kind in kinds:
        chosen = spread(settings(kind, stored, task), task, POINTS)
        steps = [Step(one.criterion.to_dict(), one.mean_exit_layer) for one in chosen]
        if early := [step for step in steps if step.mean_exit_layer < task.num_layers]:
            chains[kind.name] = early
    return Order(source, chains)


def judged_by_full_depth(stored: Stored) -> Stored:
    """The same outputs with the answers at full depth as the labels, of texts that have none."""
    answers = stored.problem.predictions(stored.scores[-1])
    return replace(stored, split=replace(stored.split, labels=answers))


def along_one_knob(criterion: Criterion, task: Task, points: int = POINTS // 2) -> list[Criterion]:
    """Settings of a criterion's sweep, from conservative to aggressive, that differ in its threshold alone.

    That is its first setting with decimals, or else its first; the others are as in `criterion`. No text is needed.
    """
    sweep = type(criterion).sweep(task)
    names = [name for name, (_, hint) in settings_of(criterion).items() if len({getattr(c, name) for c in sweep}) > 1]
    if not names:
        return []
    knob = next((name for name in names if settings_of(criterion)[name][1] is float), names[0])
    values = list(dict.fromkeys(getattr(one, knob) for one in sweep))[1:]  # the first never exits early
    places = np.unique(np.linspace(0, len(values) - 1, min(points, len(values))).round().astype(int))
    return [replace(criterion, **{knob: values[place]}) for place in places]
