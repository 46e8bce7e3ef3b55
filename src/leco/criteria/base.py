"""What an exit criterion is: a pure function of the exits' outputs and of its own state, row by row.

Nothing here knows of PyTorch or Transformers. The same object decides in the eager engine, over stored outputs
and in any other runtime. Shapes: B rows of a batch, K outputs, M layers; layers are counted from 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leco.options import validate

Array = NDArray[Any]
State = dict[str, Array]
"""What a criterion remembers: arrays whose first dimension is the rows, so that rows can leave."""

SINGLE_LABEL = "single_label_classification"
MULTI_LABEL = "multi_label_classification"
REGRESSION = "regression"


@dataclass(frozen=True)
class Task:
    """What a criterion may know in advance: K outputs, M layers, and Transformers' name of the kind of problem."""

    num_outputs: int
    num_layers: int
    problem_type: str = SINGLE_LABEL


@dataclass(frozen=True)
class Criterion(ABC):
    """When to exit. Subclasses are frozen dataclasses; their fields are the settings.

    `problem_types` are the kinds of problem it is defined for, `deployable` is false where it needs the labels.
    """

    name: ClassVar[str]
    problem_types: ClassVar[frozenset[str]] = frozenset({SINGLE_LABEL})
    deployable: ClassVar[bool] = True

    def __post_init__(self) -> None:
        validate(self)

    def to_dict(self) -> dict[str, Any]:
        """Name and settings as a JSON object."""
        return {"name": self.name, **asdict(self)}

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value:.4g}" for name, value in asdict(self).items())
        return f"{self.name}({settings})"

    def uses(self, layer: int) -> bool:
        """Whether the output of this layer's exit matters; the exits of other layers need not be computed."""
        return True

    def start(self, rows: int, task: Task) -> State:
        """The state before layer 1, for `rows` rows."""
        return {}

    @abstractmethod
    def step(self, layer: int, scores: Array, state: State) -> tuple[Array, State]:
        """Whether each row leaves at `layer` (bool [B]), and the state after it.

        `scores` [B, K] are the exit's probabilities (softmax, or sigmoid where the task has many labels), or its
        values where the task is a regression. After the last layer every row leaves, whatever this says.
        """

    @classmethod
    @abstractmethod
    def sweep(cls, task: Task) -> Sequence["Criterion"]:
        """The settings that a speedup-score curve tries, from conservative (full depth) to aggressive.

        Criteria with two settings order them within each value of the first; over both, the order depends on data.
        """


def select(state: State, keep: Array) -> State:
    """The state of the rows that `keep` (bool or indices) picks."""
    return {name: values[keep] for name, values in state.items()}


def simulate(criterion: Criterion, scores: Array, task: Task) -> Array:
    """The exit layer [N] of each row, decided over stored outputs `scores` [M, N, K] of all exits."""
    num_layers, rows, _ = scores.shape
    exit_layers = np.full(rows, num_layers)
    inside = np.ones(rows, dtype=bool)
    state = criterion.start(rows, task)
    for layer in range(1, num_layers):
        if not criterion.uses(layer):
            continue
        leaves, state = criterion.step(layer, scores[layer - 1], state)
        exit_layers[inside & leaves] = layer
        inside &= ~leaves
    return exit_layers
