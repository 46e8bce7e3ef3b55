"""What an exit criterion is: a pure function of the exits' outputs and of its own state, row by row.

Nothing here knows of PyTorch or Transformers. The same object decides in the eager engine, over stored outputs
and in any other runtime. Shapes: B rows of a batch, N rows of a data set, K outputs, M layers, counted from 1, E exits.
Layer 0 is the embeddings, which the first layer reads.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from operator import lt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leco.display import shortened
from leco.errors import LecoError
from leco.options import hints_of, setting_names, validate
from leco.problems import NO_STATISTICS, PROBLEMS, SINGLE_LABEL, LabelStatistics, Problem
from leco.registry import format_settings

Array = NDArray[Any]
DOUBTS = "doubts"
"""The name under which criteria observe the meta-classifier's doubts."""
EVIDENCE = "evidence"
"""The name under which criteria observe the evidence of the logits and the features."""
LARGEST = float(np.finfo(np.float32).max)
"""Above it a setting is no number of float32, in which criteria compute; it is this then."""
Observed = Mapping[str, Array]
"""What a criterion may be told of exits beside their scores, by name, of all rows of a batch or a data set: the
meta-classifier's `DOUBTS` [..], and the `EVIDENCE` [.., 2]: `log sum_k exp l(k)` of an exit's logits, and the share of
its features, 0 to 1, that its last linear layer does not see."""
State = dict[str, Array]
"""What a criterion remembers: arrays whose first dimension is the rows, so that rows can leave."""


@dataclass(frozen=True)
class Task:
    """What a criterion may know in advance.

    That is K outputs, M layers, Transformers' name of the kind of problem, what the labels were in training, and the
    layers that have an exit [E], the last one among them; none given are all. The embeddings have one where they are
    named, as layer 0. Raises LecoError for others.

    >>> Task(num_outputs=2, num_layers=6, exit_layers=(0, 2, 4, 6)).num_exits
    4
    """

    num_outputs: int
    num_layers: int
    problem_type: str = SINGLE_LABEL
    statistics: LabelStatistics = NO_STATISTICS
    exit_layers: Sequence[int] = ()

    def __post_init__(self) -> None:
        every, given = range(1, self.num_layers + 1), tuple(self.exit_layers)
        whole = all(isinstance(layer, Integral) for layer in given)
        if given and not (whole and given[-1] == self.num_layers and all(map(lt, (-1, *given), given))):
            raise LecoError(
                f"The layers that have an exit must rise from at least 0, the embeddings, to the last one, "
                f"{self.num_layers}, which always has one, not be {shortened(', '.join(map(str, given)))}."
            )
        object.__setattr__(self, "exit_layers", every if given in ((), (*every,)) else tuple(map(int, given)))

    @property
    def num_exits(self) -> int:
        """E."""
        return len(self.exit_layers)

    @property
    def above_embeddings(self) -> list[int]:
        """The layers that have an exit, without the embeddings."""
        return [layer for layer in self.exit_layers if layer]

    @property
    def all_layers_exit(self) -> bool:
        """Whether each layer has an exit; the embeddings are none."""
        return len(self.above_embeddings) == self.num_layers

    @property
    def named_layers(self) -> list[int]:
        """The layers that have an exit, as files name them; none where all have one."""
        return [] if isinstance(self.exit_layers, range) else list(self.exit_layers)

    @property
    def problem(self) -> Problem:
        """The kind of problem."""
        return PROBLEMS[self.problem_type].with_statistics(self.statistics)


@dataclass(frozen=True)
class Criterion(ABC):
    """When to exit. Subclasses are frozen dataclasses; those of their fields that are an `option` are the settings.

    A layer is that of the backbone. Not each needs to have an exit: what comes before or is counted are exits.

    `problem_types` are the kinds of problem it is defined for, `deployable` is false where it needs the labels.
    """

    name: ClassVar[str]
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL})
    deployable: ClassVar[bool] = True
    observes: ClassVar[str | None] = None
    """What of the exits (`Observed`) `step` is given in place of their scores."""

    def __post_init__(self) -> None:
        validate(self)
        hints = hints_of(type(self))
        for name in setting_names(self):
            if hints[name] is float and getattr(self, name) > LARGEST:
                object.__setattr__(self, name, LARGEST)

    def to_dict(self) -> dict[str, Any]:
        """Name and settings as a JSON object, which `criterion_from_dict` reads."""
        return {"name": self.name, **{name: getattr(self, name) for name in setting_names(self)}}

    def __str__(self) -> str:
        """Name and settings as on the command line, which `parse_criterion` reads: `cobee:tau=0.1,patience=2`."""
        settings = format_settings(self.to_dict())
        return f"{self.name}:{settings}" if settings else self.name

    def check(self, task: Task) -> None:
        """Raise LecoError where this criterion is not defined for the task; `start` does so by itself."""
        if task.problem_type not in self.problem_types:
            raise LecoError(
                f"The exit criterion '{self.name}' is not defined for the problem type '{task.problem_type}', only "
                f"for {', '.join(sorted(self.problem_types))}. Choose another criterion."
            )

    def uses(self, layer: int) -> bool:
        """Whether the output of this layer's exit matters; the exits of other layers need not be computed."""
        return True

    def start(self, rows: int, task: Task) -> State:
        """The state before the first exit, arrays [B, ..] for `rows` rows. LecoError where the task does not fit."""
        self.check(task)
        return {}

    @abstractmethod
    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Whether each row leaves by the exit on `layer` (bool [B]), and the state after it.

        `scores` [B, K] are the exit's probabilities (softmax, or sigmoid where the task has many labels), or its
        values where the task is a regression; or what the criterion `observes`. After the last layer every row leaves,
        whatever this says.
        """

    @classmethod
    @abstractmethod
    def sweep(cls, task: Task) -> Sequence["Criterion"]:
        """The settings that a speedup-score curve tries, from conservative to aggressive.

        The first never exits early, the last does (nearly) always, as early as the criterion can.
        Criteria with two settings order them within each value of the first; over both, the order depends on data.
        """


def first_counted(exit_layers: Sequence[int]) -> int:
    """The layer with which counts of layers begin: 1, or 0, the embeddings, where they have an exit.

    >>> first_counted([2, 4]), first_counted([0, 2, 4])
    (1, 0)
    """
    return min([1, *exit_layers])


def exits_in_words(task: Task, layers: str) -> str:
    """On what the exits are, of `layers` as a sentence has them.

    >>> exits_in_words(Task(2, 6), "its 6 layers")
    'each of its 6 layers'
    >>> exits_in_words(Task(2, 6, exit_layers=(0, 2, 6)), "them")
    'the embeddings and 2 of them'
    """
    above = len(task.above_embeddings)
    words = f"{'each' if task.all_layers_exit else above} of {layers}"
    return words if above == task.num_exits else f"the embeddings and {words}"


def setting_arrays(criterion: Criterion) -> dict[str, Array]:
    """The settings of a criterion, numbers, switches or words, as the inputs of a graph; each a scalar.

    >>> from leco.criteria import Entropy
    >>> setting_arrays(Entropy(tau=1))
    {'tau': array(1., dtype=float32), 'normalized': array(False)}
    """
    dtypes: Mapping[Any, type] = {float: np.float32, int: np.int64, bool: np.bool_, str: np.object_}
    hints = hints_of(type(criterion))
    values = {name: getattr(criterion, name) for name in setting_names(criterion)}
    return {name: np.array(value, dtypes[hints[name]]) for name, value in values.items()}


def same_for(rows: int, problem: Problem) -> Array:
    """The kind of problem, once for each of the rows: how a state keeps it, so that `step` knows it.

    All entries are one object; `step`, which always has a row, asks the first.
    """
    return np.full(rows, problem, dtype=object)


def select(state: State, keep: Array) -> State:
    """The state of the rows that `keep` (bool [B] or indices) picks.

    >>> select({"count": np.array([2, 0, 1])}, np.array([True, False, True]))
    {'count': array([2, 1])}
    """
    return {name: values[keep] for name, values in state.items()}


def exit_places(exit_layers: Sequence[int], layers: Array | int) -> Array:
    """Where the exits on some `layers` stand among all exits, which are on `exit_layers`, from 0; of the same shape.

    >>> exit_places((2, 4, 6), np.array([6, 2]))
    array([2, 0])
    """
    return np.searchsorted(exit_layers, layers)


def simulate(criterion: Criterion, scores: Array, task: Task, observed: Observed | None = None) -> Array:
    """The exit layer [N] of each row, decided over stored outputs `scores` [E, N, K] of all exits.

    `observed` [E, N, ..] is what else was stored, for a criterion that asks for it. Raises LecoError where the
    criterion is not defined for the task, or asks for what is not given.

    >>> from leco.criteria import MaxProbability
    >>> exits = np.array([[[0.4, 0.6], [0.9, 0.1]], [[0.2, 0.8], [0.9, 0.1]], [[0.1, 0.9], [0.9, 0.1]]])
    >>> simulate(MaxProbability(tau=0.7), exits, Task(num_outputs=2, num_layers=3))
    array([2, 1])
    """
    rows = scores.shape[1]
    exit_layers = np.full(rows, task.num_layers)
    inside = np.ones(rows, dtype=bool)
    state = criterion.start(rows, task)
    seen = scores if criterion.observes is None else (observed or {}).get(criterion.observes)
    if seen is None:
        raise LecoError(f"The exit criterion '{criterion.name}' needs the exits' {criterion.observes}; there are none.")
    for layer, said in zip(task.exit_layers[:-1], seen[:-1], strict=True):
        if not inside.any():
            break
        if not criterion.uses(layer):
            continue
        leaves, state = criterion.step(layer, said, state)
        exit_layers[inside & leaves] = layer
        inside &= ~leaves
    return exit_layers
