"""Scores: each exit's, their mean and maximum, and a criterion's, over stored outputs.

Shapes: E exits, N texts, K outputs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leco.criteria import Criterion, Observed, Task, exit_places, simulate
from leco.data import Split, score
from leco.errors import parameter
from leco.model.finite import check_finite
from leco.problems import PROBLEMS, Problem
from leco.runtime import Encoding, GivesAllExits

Array = NDArray[Any]


def exit_outputs(
    predictor: GivesAllExits,
    encodings: Sequence[Encoding],
    *,
    batch_size: int = 32,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> tuple[Array, Observed]:
    """What every exit says of every text [E, N, K], probabilities or values, and what else criteria may observe of it.

    LecoError where some of it is not finite.
    """
    stored, observed = predictor.exit_outputs(encodings, batch_size=batch_size, on_batch=on_batch)
    layers = predictor.task.exit_layers
    by_layer = {
        f"what the exit on layer {m} says": torch.from_numpy(said) for m, said in zip(layers, stored, strict=True)
    }
    remedy = f"Train it again, with a lower {parameter('lr')} and {parameter('exit_lr')}."
    check_finite(by_layer, "The model gives no answers", remedy)
    return stored, observed


@dataclass(frozen=True)
class Stored:
    """The outputs of all exits on a split, from which any criterion's score can be had without running the model.

    The exits are on the layers `on`; none given is that each layer has one.
    """

    scores: Array  # [E, N, K]
    split: Split
    metric: str
    problem_type: str
    observed: Observed = field(default_factory=dict)  # [E, N, ..]
    on: Sequence[int] = ()
    _known: dict[bytes, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def problem(self) -> Problem:
        """The kind of problem."""
        return PROBLEMS[self.problem_type]

    def only(self, layers: Sequence[int]) -> "Stored":
        """The outputs of the exits on these layers alone."""
        places = self._places(np.asarray(layers))
        observed = {name: values[places] for name, values in self.observed.items()}
        return replace(self, scores=self.scores[places], observed=observed, on=tuple(layers))

    def exit_layers(self, criterion: Criterion, task: Task) -> Array:
        """The layers [N] at which texts leave by a criterion."""
        assert tuple(task.exit_layers) == tuple(self.on or range(1, len(self.scores) + 1)), (
            "other exits than the task's"
        )
        return simulate(criterion, self.scores, task, self.observed)

    def by_exit(self) -> list[float]:
        """The task's score of each exit on all texts."""
        return [self.score_of(exit_) for exit_ in self.scores]

    def score_of(self, scores: Array) -> float:
        """The task's score of outputs [N, K]."""
        return score(self.metric, self.split.labels, self.problem.predictions(scores), self.split.groups)

    def leaving(self, exit_layers: Array) -> Array:
        """The outputs [N, K] with which texts leave, text n at `exit_layers[n]`."""
        return self.scores[self._places(exit_layers), np.arange(len(exit_layers))]

    def _places(self, layers: Array) -> Array:
        """Where the exits on some layers are in the outputs."""
        return exit_places(self.on or range(1, len(self.scores) + 1), layers)

    def at(self, exit_layers: Array) -> float:
        """The task's score when text n leaves at `exit_layers[n]`; computed once, as many settings agree."""
        key = blake2b(exit_layers.astype(np.int64).tobytes()).digest()
        if key not in self._known:
            self._known[key] = self.score_of(self.leaving(exit_layers))
        return self._known[key]


@dataclass(frozen=True)
class Setting:
    """A criterion with its settings, the score it has on a split and the mean exit layer."""

    criterion: Criterion
    score: float
    mean_exit_layer: float


def settings(criterion: type[Criterion], stored: Stored, task: Task) -> list[Setting]:
    """All settings of a criterion's sweep on stored outputs, from full depth to the earliest exits."""
    tried = []
    for candidate in criterion.sweep(task):
        layers = stored.exit_layers(candidate, task)
        tried.append(Setting(candidate, stored.at(layers), float(layers.mean())))
    return sorted(tried, key=lambda setting: -setting.mean_exit_layer)


def choose_setting(criterion: type[Criterion], dev: Stored, task: Task, max_drop: float) -> Setting:
    """The setting of a criterion's sweep that is chosen on dev; see `fastest_within`."""
    return fastest_within(settings(criterion, dev, task), dev, max_drop)


def fastest_within(tried: Sequence[Setting], dev: Stored, max_drop: float) -> Setting:
    """Of settings on dev that one with the earliest exits whose score is at most `max_drop` under full depth's.

    Of several with the same mean exit layer, the one with the best score. Where none keeps the score, the first, which
    is the most conservative one.
    """
    floor = lowest_score(dev.score_of(dev.scores[-1]), max_drop)
    kept = [setting for setting in tried if setting.score >= floor]
    return min(kept, key=lambda setting: (setting.mean_exit_layer, -setting.score)) if kept else tried[0]


def lowest_score(full_depth_score: float, max_drop: float) -> float:
    """The lowest score that is allowed; a drop of just `max_drop` is, however rounded."""
    return full_depth_score - max_drop - 1e-9
