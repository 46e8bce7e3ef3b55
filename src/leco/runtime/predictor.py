"""What answers texts, whatever runs it, and all that is the same for each: checks, pieces, answers.

Shapes: N texts, K outputs, M layers.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from leco.calibration import Certificate
from leco.criteria import Criterion, Observed, Static, Task, as_criterion
from leco.problems import Problem
from leco.provenance import Provenance
from leco.renamed import warn_of
from leco.runtime.answers import Answer, answers
from leco.runtime.engine import Decisions, Stages
from leco.runtime.texts import check_batch_size, checked, checked_kind
from leco.tokens import Encoding, Text, cut_line

logger = logging.getLogger(__name__)

FLOAT32, INT8 = "float32", "int8"
INT8_BY_BATCH, INT8_BY_PROCESSOR = INT8_OF_BEFORE = "int8 by batch", "int8 by processor"
"""Files of before, where a text's answer depends on its batch, or on whether an x86 processor has VNNI."""
PIECE = 1024
"""Texts that are tokenized and kept at a time: enough to form batches of similar length."""


def ignore(number: int) -> None:
    """What is done with a number that nobody asked for."""


class Predictor(Protocol):
    """A model in its runtime: the PyTorch model, an ONNX file, a plain classifier. `leco.load` gives one.

    What differs between them are the properties, `encode` and `decide`; `PredictorMixin` adds the rest.

    >>> import leco
    >>> predictor = leco.load("reviews-model/model.onnx")
    >>> predictor.runtime, predictor.label_names, predictor.num_layers
    ('ONNX Runtime', ['negative', 'positive'], 3)
    >>> [answer.label for answer in predictor.predict(["a good film", "so bad"], batch_size=2)]
    ['positive', 'negative']
    """

    @property
    def task(self) -> Task:
        """The numbers of outputs and layers, and the kind of problem."""

    @property
    def label_names(self) -> list[str]:
        """The outputs' names [K]."""

    @property
    def problem(self) -> Problem:
        """The kind of problem."""

    @property
    def num_layers(self) -> int:
        """M, the number of layers."""

    @property
    def text_columns(self) -> Sequence[str] | None:
        """The columns of a table in which the texts are, as in training; None where that is not known."""

    @property
    def criterion(self) -> Criterion:
        """The exit criterion that decides where no other is given."""

    @property
    def full_depth(self) -> Criterion:
        """The criterion by which no text leaves before the last layer."""

    @property
    def max_length(self) -> int:
        """The number of tokens to which texts are cut, special tokens included."""

    @property
    def trained_on(self) -> Provenance | None:
        """The data of the training and how they are read, where that is known."""

    @property
    def runtime(self) -> str:
        """What computes the answers: "PyTorch" or "ONNX Runtime"."""

    @property
    def precision(self) -> str:
        """In which precision the layers are computed: "float32", "bfloat16", "int8"."""

    @property
    def certificate(self) -> Certificate | None:
        """What is promised of the answers by its own criterion, where something is."""

    def encode(self, texts: Sequence[Text], on_cut: Callable[[int], None] = ignore) -> list[Encoding]:
        """The tokens of each text, cut to `max_length`; `on_cut` is told how many had to be."""

    def decide(
        self,
        encodings: Sequence[Encoding],
        criterion: Criterion | None = None,
        *,
        batch_size: int = 1,
        on_batch: Callable[[int], None] = ignore,
    ) -> Decisions:
        """The scores [N, K] and exit layers [N] of tokenized texts, in their order; `on_batch` is told the rows done.

        Raises LecoError for a criterion by which this predictor cannot decide.
        """

    def answer(
        self, encodings: Sequence[Encoding], criterion: Criterion | str | None = None, batch_size: int = 1
    ) -> list[Answer]:
        """See `PredictorMixin`."""

    def predict(
        self, texts: Iterable[Text], criterion: Criterion | str | None = None, batch_size: int = 1
    ) -> list[Answer]:
        """See `PredictorMixin`."""

    def stream(
        self, texts: Iterable[Text], criterion: Criterion | str | None = None, batch_size: int = 1
    ) -> Iterator[Answer]:
        """See `PredictorMixin`."""


@runtime_checkable
class GivesAllExits(Predictor, Protocol):
    """A capability: what every exit says can be had, from which any criterion can be simulated."""

    @property
    def exit_architectures(self) -> Sequence[Any]:
        """The architecture of each layer's exit (`leco.exits.architecture`), the first layer's first."""

    def exit_outputs(
        self, encodings: Sequence[Encoding], *, batch_size: int = 32, on_batch: Callable[[int], None] = ignore
    ) -> tuple[NDArray[Any], Observed]:
        """The scores of all exits [M, N, K], and what else criteria may observe of them, [M, N, ..]."""


@runtime_checkable
class RunsByLayer(Predictor, Protocol):
    """A capability: it runs layer by layer, so that texts can enter and leave at any time (`leco.runtime.Flow`)."""

    def running(self) -> AbstractContextManager[Stages[Any]]:
        """The model cut layer by layer, for a block in whose thread it answers."""


class PredictorMixin:
    """What a predictor has once it has the rest of `Predictor`."""

    @property
    def problem(self: Predictor) -> Problem:
        """The kind of problem."""
        return self.task.problem

    @property
    def problem_type(self: Predictor) -> str:
        """Transformers' name of the kind of problem."""
        return self.task.problem_type

    @property
    def num_layers(self: Predictor) -> int:
        """M, the number of layers."""
        return self.task.num_layers

    @property
    def text_columns(self: Predictor) -> Sequence[str] | None:
        """The columns of a table in which the texts are, as in training; None where that is not known."""
        return None if self.trained_on is None else self.trained_on.source.text_columns

    @property
    def trained_on(self) -> Provenance | None:
        """Not known."""
        return None

    @property
    def runtime(self) -> str:
        """That of all but exported files."""
        return "PyTorch"

    @property
    def precision(self) -> str:
        """The usual one."""
        return FLOAT32

    @property
    def certificate(self) -> Certificate | None:
        """Nothing is promised."""
        return None

    @property
    def full_depth(self) -> Criterion:
        """The criterion by which no text leaves before the last layer, and no other exit is computed."""
        return Static()

    def predict(
        self: Predictor, texts: Iterable[Text], criterion: Criterion | str | None = None, batch_size: int = 1
    ) -> list[Answer]:
        """Answer each text at the layer where the criterion says so; later layers are not computed.

        Args:
            texts: single texts, or pairs as tuples, in any iterable: a list, a Series, an array, a generator, which is
                read piece by piece; also a table (pandas, datasets, polars, pyarrow) with one column, or with those
                that the model was trained on.
            criterion: when to exit, as a criterion or as text such as "cobee:tau=0.1,patience=2"; by default the
                predictor's own. An exported file has one kind of criterion, of which the settings may be others.
            batch_size: texts that run together. Rows that left cost nothing more, and the answers are those of 1, but
                in files that say "int8 by batch" (`precision`).

        Returns:
            One answer for each text, in order.

        Raises:
            LecoError: where the criterion is not defined for the kind of problem or number of layers or is another one
                than a file's, for what is no text, no criterion or no batch size, and for a pair where the training
                had single texts, or the other way round.

        """
        return list(self.stream(texts, criterion, batch_size))

    def stream(
        self: Predictor, texts: Iterable[Text], criterion: Criterion | str | None = None, batch_size: int = 1
    ) -> Iterator[Answer]:
        """The answers of `predict` as they come; no more than 1,024 texts are read and kept at a time.

        What is no iterable of texts, no criterion or no batch size is refused at once, a text that is none when it is
        reached.
        """
        chosen = as_criterion(criterion, self.criterion)
        check_batch_size(batch_size)
        if doubt := doubt_of(self, chosen):
            logger.warning(doubt)
        given = checked_kind(checked(texts, self.text_columns), self.trained_on)

        def answered(piece: list[Text]) -> list[Answer]:
            encodings = self.encode(piece, on_cut=lambda cut: cut_warning(cut, len(piece), self.max_length))
            return self.answer(encodings, chosen, batch_size)

        return _by_pieces(given, answered)

    def answer(
        self: Predictor,
        encodings: Sequence[Encoding],
        criterion: Criterion | str | None = None,
        batch_size: int = 1,
    ) -> list[Answer]:
        """Answer tokenized texts, as `predict` does."""
        decisions = self.decide(encodings, as_criterion(criterion, self.criterion), batch_size=batch_size)
        return answers(decisions, self.label_names, self.task.problem_type)


def _by_pieces(texts: Iterator[Text], answer: Callable[[list[Text]], list[Answer]]) -> Iterator[Answer]:
    """What `answer` says of the texts, `PIECE` of them at a time, as they are asked for."""
    return (one for piece in iter(lambda: list(islice(texts, PIECE)), []) for one in answer(piece))


def answer_pieces(
    texts: Iterable[Text],
    criterion: Criterion | None,
    batch_size: int,
    answer: Callable[[list[Text]], list[Answer]],
) -> Iterator[Answer]:
    """What `PredictorMixin.stream` does with `texts`, `criterion` and `batch_size`, for an `answer` of one's own.

    A former name, which warns.
    """
    warn_of("leco.runtime.answer_pieces", "leco.runtime.PredictorMixin.stream")
    as_criterion(criterion, Static())
    check_batch_size(batch_size)
    return _by_pieces(checked(texts), answer)


def doubt_of(predictor: Predictor, criterion: Criterion | None = None) -> str:
    """Why a predictor's certificate says nothing of its answers by a criterion, by default its own, in a sentence.

    It is empty where the certificate holds, and where there is none.
    """
    held = predictor.certificate
    return "" if held is None else held.doubt(criterion or predictor.criterion, predictor.precision)


def encoded(predictor: Predictor, texts: Sequence[Text]) -> tuple[list[Encoding], list[bool]]:
    """The tokens of N `texts` as a `predictor` makes them, and for each whether it had to be cut."""
    counts: list[int] = []
    encodings = predictor.encode(texts, counts.append)
    if not sum(counts):
        return encodings, [False] * len(texts)

    def is_cut(text: Text) -> bool:
        counts.clear()
        predictor.encode([text], counts.append)
        return sum(counts) > 0

    longest = predictor.max_length  # nothing shorter was cut
    cut = [len(one["input_ids"]) >= longest and is_cut(text) for one, text in zip(encodings, texts, strict=True)]
    return encodings, cut


def cut_warning(cut: int, texts: int, max_length: int) -> None:
    """Log that some of the texts were cut, if any were."""
    if cut:
        logger.warning(cut_line(cut, texts, max_length))
