"""What a kind of problem is: all that depends on whether a text has one label, several of them, or a value.

Nothing here needs PyTorch or Transformers, but the methods that are given tensors, which import it when they run.
Shapes: B or N rows, K outputs of an exit, M layers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from leco.problems.statistics import NO_STATISTICS, LabelStatistics

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
Kind = TypeVar("Kind", bound="Problem")
Label: TypeAlias = str | float | tuple[str, ...]
"""What a text is said to be: the name of its label, the names of its labels, or its value."""


class Nodes(Protocol):
    """An ONNX graph in the making, as far as a kind of problem needs it: `leco.export.graph.Graph` is one."""

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and give the output's name."""

    def constant(self, value: Any, dtype: Any) -> str:
        """The name of a small tensor."""


@dataclass(frozen=True)
class Problem(ABC):
    """A kind of problem. The scores of an exit are what becomes of its logits: probabilities, or values.

    Attributes:
        name: Transformers' name of it, which configurations and files keep.
        metrics: the scores that are defined, by their names in `leco.data.METRICS`; the first is that by default.
        dtype: the type of the labels of a data set.
        has_names: whether outputs are labels with names, of which an answer is right or wrong; if not, they are values.
        has_lists: whether a row of a data set has a list of labels.
        fewest_outputs, most_outputs: how many outputs an exit may have; None is any number.
        statistics: of the labels of the training rows, by which values are scaled and labels weigh in the loss.

    """

    statistics: LabelStatistics = NO_STATISTICS

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    dtype: ClassVar[type[np.generic]]
    has_names: ClassVar[bool] = True
    has_lists: ClassVar[bool] = False
    fewest_outputs: ClassVar[int] = 1
    most_outputs: ClassVar[int | None] = None

    # Outputs and labels

    @property
    def metric(self) -> str:
        """The score by default."""
        return self.metrics[0]

    @property
    def reach(self) -> float:
        """The largest change of a score from exit to exit that is of interest."""
        return 1.0

    def measure(self, labels: Array, num_outputs: int, *, balanced: bool = False) -> LabelStatistics:
        """The statistics of the labels [N, ..] of the training rows, with weights of the labels if `balanced`."""
        return LabelStatistics(weights=self.balance(labels, num_outputs) if balanced else None)

    def balance(self, labels: Array, num_outputs: int) -> tuple[float, ...]:
        """The weights of the labels [K] with which all count the same; 1 where a label has no row."""
        self._needs_names()

    def with_statistics(self: Kind, statistics: LabelStatistics) -> Kind:
        """The same kind of problem with these statistics of its labels."""
        return self if statistics == self.statistics else replace(self, statistics=statistics)

    @property
    def has_classes(self) -> bool:
        """Whether each text is of just one class, so that the rows of a class can be counted."""
        return self.has_names and not self.has_lists

    def fits(self, num_outputs: int) -> bool:
        """Whether an exit may have so many outputs."""
        return self.fewest_outputs <= num_outputs <= (self.most_outputs or num_outputs)

    def output_names(self, label_names: Sequence[str]) -> tuple[str, ...]:
        """The names [K] of the outputs of a data set with these labels."""
        return tuple(label_names)

    def label_shape(self, num_outputs: int) -> tuple[int, ...]:
        """The shape of the label of one text: () or (K,)."""
        return ()

    @abstractmethod
    def encode(self, found: Sequence[float], num_outputs: int) -> Array:
        """The label of a text, [] or [K] (`label_shape`), of `dtype`: from the places of its labels, or its value."""

    def renumber(self, labels: Array, places: Array, num_outputs: int) -> Array:
        """The labels [N, ..] where label k has the number `places[k]` among `num_outputs`."""
        self._needs_names()

    def has_label(self, labels: Array, index: int) -> Array:
        """Which texts have the label with this number, bool [N]."""
        self._needs_names()

    # Scores

    @abstractmethod
    def scores(self, logits: Array) -> Array:
        """The scores [.., K] of logits [.., K]."""

    @abstractmethod
    def torch_scores(self, logits: Tensor) -> Tensor:
        """The scores [.., K] of logits [.., K], as tensors."""

    def torch_outputs(self, logits: Tensor) -> Tensor:
        """What Transformers expects of a model with logits [.., K]: these, or values."""
        return logits

    @abstractmethod
    def onnx_scores(self, graph: Nodes, logits: str) -> str:
        """Nodes for the scores [B, K] of logits [B, K], the values with these names in an ONNX graph."""

    @abstractmethod
    def predictions(self, scores: Array) -> Array:
        """The labels, as `encode` numbers them, that scores [.., K] speak for."""

    def right(self, scores: Array, labels: Array) -> Array:
        """Whether the predictions of scores [.., N, K] are the labels of N texts in all they say, bool [.., N]."""
        return self.predictions(scores) == labels

    def confidence(self, scores: Array) -> Array:
        """The probability [.., N] that the predictions of scores [.., N, K] are right, as the scores have it."""
        self._needs_names()

    def worse(self, scores: Array, others: Array, labels: Array) -> Array:
        """Where scores [.., N, K] are wrong and `others` [N, K] right, bool [.., N]; of values how much, 0 to 1."""
        return self.right(others, labels) & ~self.right(scores, labels)

    def disagreement(self, scores: Array, others: Array) -> Array:
        """Where scores [.., N, K] and `others` [N, K] predict differently, bool [.., N]; of values how far, 0 to 1."""
        return ~self.right(scores, self.predictions(others))

    @abstractmethod
    def named(self, label: Any, names: Sequence[str]) -> Label:
        """What users are told of one label or prediction, where the outputs have the `names` [K]."""

    # Exit criteria

    def alike(self, scores: Array, previous: Array, tolerance: float) -> Array:
        """Whether two exits, with scores [B, K] each, predict the same, bool [B]; values, to within `tolerance`."""
        return self.right(scores, self.predictions(previous))

    def distributions(self, scores: Array) -> Array:
        """The probabilities [.., n] of all outcomes, by scores [.., K]; `- sum p log p` over them is the entropy."""
        self._needs_names()

    def onnx_distributions(self, graph: Nodes, scores: str) -> str:
        """Nodes for the `distributions` of scores [B, K], the value with this name in an ONNX graph."""
        self._needs_names()

    def largest_entropy(self, num_outputs: int) -> float:
        """The entropy, in nats, of the `distributions` of an exit that knows nothing."""
        self._needs_names()

    # Losses

    @abstractmethod
    def losses(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of each row, [B], of an exit's logits [B, K] against the labels of a batch."""

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean loss, a scalar, of an exit's logits [B, K] against the labels of a batch."""
        return self.losses(logits, labels).mean()

    @abstractmethod
    def wrongness(self, logits: Tensor, labels: Tensor) -> Tensor:
        """How wrong the exits are, [B, M] from 0 to 1 (or bool): of logits [B, M, K] and the labels of a batch."""

    def uncertainty(self, logits: Tensor) -> Tensor:
        """The entropy of what logits [.., K] say, [..], as a share of the largest: from 0 to 1."""
        self._needs_names()

    @abstractmethod
    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """How far logits `student` [B, K] are from logits `teacher` [B, K], a mean over the batch."""

    def _needs_names(self) -> NoReturn:
        raise NotImplementedError(f"the outputs of a {self.name} are values, not labels with names")


def kl_divergence(teacher: Tensor, student: Tensor) -> Tensor:
    """`KL(p_teacher || p_student)` in nats, of logits [B, .., K]: a mean over the batch, a sum over the rest."""
    from torch.nn.functional import kl_div

    return kl_div(student.log_softmax(-1), teacher.log_softmax(-1), log_target=True, reduction="batchmean")


def entropy_share(logits: Tensor) -> Tensor:
    """`H(p) / log K` of logits [.., K], [..]."""
    logs = logits.log_softmax(-1)
    return -(logs.exp() * logs).sum(-1) / log(logits.shape[-1])
