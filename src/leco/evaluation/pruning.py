"""Which exits are worth their time: those are dropped, one by one, without which texts of dev take less of it.

An exit costs each text that comes by it, and saves the layers behind it for those that leave there. Shapes: M layers,
E exits, N texts.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from leco.criteria import Criterion, Task
from leco.data import TextData
from leco.evaluation.evaluate import stored_outputs
from leco.evaluation.exit_times import ExitTimes, measure_times
from leco.evaluation.scores import Array, Stored, lowest_score
from leco.evaluation.tokens import tokens
from leco.files import read_json, write_json
from leco.model import MultiExitModel
from leco.shapes import checked

PRUNING = "pruning.json"
"""The file in a run's folder that says how its exits were dropped."""


@dataclass(frozen=True)
class Step:
    """The exits on some layers: the criterion's setting that takes least time within the allowed drop of the score.

    Attributes:
        exit_layers: the layers.
        criterion: its name and setting.
        score, seconds: on dev; the latter is the mean time of a text, the embeddings not counted.

    """

    exit_layers: list[int]
    criterion: dict[str, Any]
    score: float
    seconds: float


@dataclass(frozen=True)
class Pruning:
    """How exits were dropped: all of them first, then after each drop, until the last layer's is alone."""

    steps: list[Step]
    times: ExitTimes

    @property
    def best(self) -> Step:
        """The step at which texts take least time; of several, the one with the fewest exits."""
        return min(reversed(self.steps), key=_seconds)

    @property
    def exit_layers(self) -> list[int]:
        """The layers whose exits are kept."""
        return self.best.exit_layers

    @property
    def saved(self) -> float:
        """The share of time that texts of dev take less for it."""
        return 1 - self.best.seconds / self.steps[0].seconds

    @property
    def drops(self) -> bool:
        """Whether there are exits that are not kept."""
        return len(self.exit_layers) < len(self.steps[0].exit_layers)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Pruning":
        """Read what `save` wrote; LecoError where the file is missing or of another shape."""
        return checked(cls, read_json(path), f"'{path}'")


def prune(kind: type[Criterion], dev: Stored, task: Task, max_drop: float, times: ExitTimes) -> Pruning:
    """Drop, greedily, the exit without which texts take least time, to the end; kept is what was best on the way.

    A drop may cost time and the next one save more: where exits are compared, two of them go together. With each set
    of exits the setting of the criterion is chosen anew on dev's outputs: the one of its sweep that takes least time by
    `times` at a score at most `max_drop` under full depth's. The last exit stays. Exits that cost nothing, such as
    those that a fixed layer never asks, go.
    """
    floor = lowest_score(dev.score_of(dev.scores[-1]), max_drop)

    def step(layers: Sequence[int]) -> Step:
        return _fastest(kind, dev.only(layers), replace(task, exit_layers=tuple(layers)), floor, times)

    steps = [step(task.exit_layers)]
    while len(layers := steps[-1].exit_layers) > 1:
        others = ([*layers[:place], *layers[place + 1 :]] for place in range(len(layers) - 1))
        steps.append(min(map(step, others), key=_seconds))
    return Pruning(steps, times)


def prune_exits(model: MultiExitModel, data: TextData, kind: type[Criterion], max_drop: float) -> Pruning:
    """Drop exits of the model, in place, by times measured on texts of dev; see `prune`.

    LecoError where its exits know each other, so that none can be dropped.
    """
    encodings = tokens(model, data.dev)
    dev = stored_outputs(model, data.dev, encodings, data.metric, "dev")
    found = prune(kind, dev, model.task, max_drop, measure_times(model, encodings, kind.observes))
    model.keep_exits(found.exit_layers)
    return found


def _fastest(kind: type[Criterion], dev: Stored, task: Task, floor: float, times: ExitTimes) -> Step:
    tried = []
    for criterion in kind.sweep(task):
        layers = dev.exit_layers(criterion, task)
        tried.append((float(seconds_by_layer(criterion, task, times)[layers].mean()), criterion, layers))
    tried.sort(key=lambda one: one[0])
    seconds, criterion, layers = next((one for one in tried if dev.at(one[2]) >= floor), tried[-1])
    return Step(list(task.exit_layers), criterion.to_dict(), dev.at(layers), seconds)


def seconds_by_layer(criterion: Criterion, task: Task, times: ExitTimes) -> Array:
    """The time [M + 1] of a text that leaves by the exit on a layer: all up to that layer, and the exits asked."""
    total = np.cumsum([times.embeddings, *times.layers])
    for layer in task.exit_layers:
        asked = slice(layer, None) if criterion.uses(layer) else slice(layer, layer + 1)  # an exit that is left by is
        total[asked] += times.exits[layer]
    return total


def _seconds(step: Step) -> float:
    return step.seconds
