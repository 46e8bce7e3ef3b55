"""The contest of exit criteria on dev: which saves most layers within the allowed drop of the score.

That one saves more than another on a few texts says little: the choice is repeated on resampled dev texts, and a
criterion that does not save more in nearly all of them has not won against a simpler one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.criteria import CRITERIA, Criterion, Static, Task, check_deployable, criterion_from_dict
from leco.data import score
from leco.errors import LecoError
from leco.evaluation.curve import spread
from leco.evaluation.scores import Setting, Stored, fastest_within, lowest_score, settings
from leco.files import read_json
from leco.settings import AUTO
from leco.shapes import changed, checked

Array = NDArray[Any]

RESAMPLES = 100
"""How often the choice is repeated on resampled dev texts."""
SURE = 0.8
"""The share of these in which a criterion must save more than a simpler one to win against it."""


@dataclass(frozen=True)
class Entry:
    """A kind of criterion in the contest, with the setting that dev chooses (`fastest_within`).

    Attributes:
        criterion: its name and setting.
        score, mean_exit_layer, layers_saved: on dev; the last is a share, 0 to 1.
        behind: the share of the resamples in which the one that saves most on dev saves more than this one.

    """

    criterion: dict[str, Any]
    score: float
    mean_exit_layer: float
    layers_saved: float
    behind: float


@dataclass(frozen=True)
class Contest:
    """How the criterion was chosen on dev.

    Attributes:
        entries: by what they save, the most first. A fixed layer is always among them.
        winner: name and setting of the chosen criterion.
        full_depth_score: the last exit's on dev.
        num_layers, max_drop, rows: M, the drop that was allowed, and the number of dev texts.
        fixed_layer: the fixed layer that does as well as the winner within that drop; None where none does.

    """

    entries: list[Entry]
    winner: dict[str, Any]
    full_depth_score: float
    num_layers: int
    max_drop: float
    rows: int
    fixed_layer: int | None

    @property
    def criterion(self) -> Criterion:
        """The chosen criterion."""
        return criterion_from_dict(self.winner)

    @property
    def saved(self) -> float:
        """The share of layers that the winner saves on dev."""
        return next(one.layers_saved for one in self.entries if one.criterion == self.winner)

    def verdict(self) -> str:
        """What a user should know of it, in a sentence.

        Empty where the winner saves layers, and no fixed layer but full depth does as well.
        """
        if self.fixed_layer is not None:
            return self._of_fixed_layer(self.fixed_layer)
        if self.saved > 0:
            return ""
        if self.entries[0].layers_saved > 0:
            return (
                f"On {self.rows} dev texts no criterion is surely ahead of full depth, at which the model answers. "
                "Give more dev texts, or name a criterion."
            )
        return (
            f"Early exiting gains nothing here: on dev, no setting that was tried leaves before the last layer with a "
            f"score at most {self.max_drop:g} under full depth's. The model answers at full depth."
        )

    def _of_fixed_layer(self, layer: int) -> str:
        first = f"first {layer}" if layer > 1 else "first"
        behind = any(one.criterion["name"] == Static.name and one.layers_saved < self.saved for one in self.entries)
        fast = f"not surely slower on {self.rows} dev texts" if behind else "as fast on dev"
        return (
            f"A model cut to its {first} of {self.num_layers} layers is as good and {fast}; "
            f"'leco train --layers {layer}' makes it."
        )


def hold_contest(kinds: Sequence[type[Criterion]], dev: Stored, task: Task, max_drop: float) -> Contest:
    """Let kinds of criteria compete on dev's outputs; one kind wins without a contest, but a fixed layer is compared.

    The one that saves most layers wins, unless a simpler one saves as much: one against which it is not ahead in at
    least 80 % of the resamples. In each of these all settings are chosen anew on texts drawn from dev, and judged on
    those that were not drawn. A fixed layer is the simplest, then those with fewer settings.
    """
    competing: list[type[Criterion]] = list(dict.fromkeys([*kinds, Static]))
    tried = {kind: settings(kind, dev, task) for kind in competing}
    chosen = {kind: fastest_within(one, dev, max_drop) for kind, one in tried.items()}
    saved = {kind: 1 - one.mean_exit_layer / task.num_layers for kind, one in chosen.items()}
    some = [spread(one, task) for one in tried.values()]
    resampled = dict(zip(competing, resampled_savings(some, dev, task, max_drop), strict=True))
    leader = max(kinds, key=lambda kind: saved[kind])

    def ahead(first: type[Criterion], second: type[Criterion]) -> float:
        more = resampled[first] - resampled[second]
        return float(np.mean((more > 0) + 0.5 * (more == 0)))

    level = [kind for kind in kinds if kind is leader or ahead(leader, kind) < SURE]
    winner = min(level, key=lambda kind: (simplicity(kind, task), -saved[kind]))
    fixed = winner is Static or saved[Static] >= saved[winner] or ahead(winner, Static) < SURE
    layer = round(chosen[Static].mean_exit_layer)
    return Contest(
        entries=[
            Entry(
                chosen[kind].criterion.to_dict(),
                chosen[kind].score,
                chosen[kind].mean_exit_layer,
                saved[kind],
                0.0 if kind is leader else ahead(leader, kind),
            )
            for kind in sorted(competing, key=lambda kind: -saved[kind])
        ],
        winner=chosen[winner].criterion.to_dict(),
        full_depth_score=dev.score_of(dev.scores[-1]),
        num_layers=task.num_layers,
        max_drop=max_drop,
        rows=len(dev.split),
        fixed_layer=layer if fixed and layer < task.num_layers else None,
    )


def kinds_named(name: str) -> tuple[type[Criterion], ...]:
    """The kind of criterion of that name, or all that a model can use, which compete, for "auto"."""
    if name == AUTO:
        return tuple(kind for kind in CRITERIA.values() if kind.deployable)
    check_deployable(name)
    return (CRITERIA[name],)


def simplicity(kind: type[Criterion], task: Task) -> int:
    """How many settings of a criterion are to be chosen; none to speak of for a fixed layer."""
    if kind is Static:
        return 0
    sweep = kind.sweep(task)
    return sum(len({getattr(one, field.name) for one in sweep}) > 1 for field in fields(kind))


def resampled_savings(kinds: Sequence[Sequence[Setting]], dev: Stored, task: Task, max_drop: float) -> Array:
    """The shares of layers [kinds, RESAMPLES] saved on the texts that are left out of the resample that chose.

    Of each kind there are some settings, the slowest first.
    """
    labels, groups = dev.split.labels, dev.split.groups
    rows = len(dev.split)
    tried = [[dev.exit_layers(one.criterion, task) for one in some] for some in kinds]  # each S times [N]
    answers = [[dev.problem.predictions(dev.leaving(layers)) for layers in one] for one in tried]
    full = dev.problem.predictions(dev.scores[-1])
    random = np.random.default_rng(0)
    saved = np.empty((len(kinds), RESAMPLES))
    for index in range(RESAMPLES):
        drawn = random.integers(0, rows, rows)
        left = np.setdiff1d(np.arange(rows), drawn)
        judged = left if len(left) else drawn

        def scored(predictions: Array, drawn: Array = drawn) -> float:
            return score(dev.metric, labels[drawn], predictions[drawn], None if groups is None else groups[drawn])

        floor = lowest_score(scored(full), max_drop)
        for place, (layers, predictions) in enumerate(zip(tried, answers, strict=True)):
            fastest = next((s for s in reversed(range(len(layers))) if scored(predictions[s]) >= floor), 0)
            saved[place, index] = 1 - layers[fastest][judged].mean() / task.num_layers
    return saved


def read_contest(path: Path) -> Contest:
    """The contest in the file at `path`, in JSON; LecoError where it is missing or broken."""
    where = f"'{path}'"
    found = checked(Contest, read_json(path), where)
    try:
        if found.criterion.to_dict() not in [one.criterion for one in found.entries]:
            raise changed(where, "its winner did not take part")
    except LecoError as error:
        raise changed(where, str(error)) from error
    return found
