"""An exported model in ONNX Runtime, with the `predict` of the model it was made from; no PyTorch is needed.

Shapes: B rows of a batch, N texts, K outputs, L tokens.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Criterion, setting_arrays
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.runtime.answers import Answer, answers
from leco.runtime.engine import Decisions, Encoding, batches_by_length
from leco.runtime.metadata import TOKENIZER, read_metadata
from leco.runtime.texts import Text, answer_pieces, checked

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Array = NDArray[Any]
MOST_THREADS = 1024
INSTALL = "ONNX Runtime and tokenizers are needed: pip install 'leco[onnx]'."


def open_session(graph: str | Path | bytes, *, threads: int | None = None, spinning: bool = True) -> "InferenceSession":
    """ONNX Runtime's session on a file or on a model's bytes, on the processor; the rest as in `Session`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # it warns of each input that has a default
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


class Session:
    """A file that `leco export` wrote, ready to answer.

    Args:
        path: the file.
        threads: how many threads one call uses; by default as many as the machine has cores.
        spinning: whether idle threads wait busily. That is a little faster for one session alone; with several in one
            process, or with other work on the machine, it is much slower.

    Attributes:
        label_names: the outputs' names [K].
        criterion: the exit criterion with the settings that the file holds.
        problem_type: Transformers' name of the kind of problem.
        metadata: all that the file says of itself.

    Raises:
        LecoError: where the file is missing, is none of ours, or ONNX Runtime is not installed.

    """

    def __init__(self, path: str | Path, *, threads: int | None = None, spinning: bool = True) -> None:
        try:
            import onnxruntime  # noqa: F401
            import tokenizers
        except ImportError as error:
            raise LecoError(INSTALL) from error
        if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):  # noqa: PTH113 - Path's may raise
            raise LecoError(
                f"The file '{shortened(path, 200)}' does not exist. 'leco export DIR --to onnx' writes one."
            )
        if threads is not None and not (isinstance(threads, int) and 1 <= threads <= MOST_THREADS):
            raise LecoError(f"The threads must be a whole number from 1 to {MOST_THREADS}, not {threads!r}.")
        self.metadata: dict[str, Any]
        self.criterion: Criterion
        try:
            self._session = open_session(path, threads=threads, spinning=bool(spinning))
            self.metadata, known, self.criterion = read_metadata(self._session)
            tokenizer = self._session.get_modelmeta().custom_metadata_map[TOKENIZER]
            self._tokenizer: Tokenizer = tokenizers.Tokenizer.from_str(tokenizer)
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(known.max_length)
        except Exception as error:  # ONNX Runtime's own errors have no common class
            problem = shortened(str(error).rstrip("."), 300) if str(error) != repr(TOKENIZER) else "it has no tokenizer"
            raise LecoError(
                f"'{path}' is no file that 'leco export' wrote, or it is broken: {problem}. Export the model again."
            ) from error
        self._inputs = [value.name for value in self._session.get_inputs()]
        self._settings = {value.name for value in self._session.get_overridable_initializers()}
        self._padding = known.padding
        self.label_names: list[str] = known.labels
        self.problem_type: str = known.problem_type

    def predict(self, texts: Iterable[Text], criterion: Criterion | None = None, batch_size: int = 1) -> list[Answer]:
        """Answer each text at the layer where the criterion says so; later layers are not computed.

        Args:
            texts: single texts, or pairs as tuples; also an iterator, which is read piece by piece.
            criterion: other settings of the criterion that the file holds; by default the file's own.
            batch_size: texts that run together. Rows that left cost nothing more. In float32 the answers are those of
                1; in int8, where the activations of a batch share one range, scores differ a little, and texts near a
                threshold leave elsewhere.

        Returns:
            One answer for each text, in order.

        Raises:
            LecoError: for another criterion than the file's, and for what is no list of texts.

        """
        return list(self.stream(texts, criterion, batch_size))

    def stream(
        self, texts: Iterable[Text], criterion: Criterion | None = None, batch_size: int = 1
    ) -> Iterator[Answer]:
        """The answers of `predict` as they come; no more than 1,024 texts are read and kept at a time."""

        def answer(piece: list[Text]) -> list[Answer]:
            decisions = self.decide(self.encode(piece), criterion, batch_size=batch_size)
            return answers(decisions, self.label_names, self.problem_type)

        return answer_pieces(texts, criterion, batch_size, answer)

    def encode(self, texts: Iterable[Text]) -> list[Encoding]:
        """The tokens of each text, cut to the model's length."""
        given = list(checked(texts))
        try:
            encodings = self._tokenizer.encode_batch(given)
        except Exception as error:  # the library's errors have no other class
            raise LecoError(f"The file's tokenizer fails: {shortened(error, 200)}. Export the model again.") from error
        parts = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
        wanted = {name: part for name, part in parts.items() if name in self._inputs}
        return [{name: getattr(encoding, part) for name, part in wanted.items()} for encoding in encodings]

    def decide(
        self,
        encodings: Sequence[Encoding],
        criterion: Criterion | None = None,
        *,
        batch_size: int = 1,
        on_batch: Callable[[int], None] = lambda rows: None,
    ) -> Decisions:
        """The scores and exit layers of tokenized texts, which run in batches of similar length, in the order given."""
        settings = self.settings(criterion or self.criterion)
        scores = np.empty((len(encodings), len(self.label_names)), np.float32)
        exit_layers = np.empty(len(encodings), np.int64)
        for rows in batches_by_length(encodings, batch_size):
            batch = {**self.collate([encodings[row] for row in rows]), **settings}
            scores[rows], exit_layers[rows] = self._run(batch)
            on_batch(len(rows))
        return Decisions(scores, exit_layers)

    def _run(self, batch: Mapping[str, Array]) -> list[Array]:
        """The graph's outputs; LecoError with what ONNX Runtime says where the graph refuses a batch."""
        try:
            return self._session.run(None, batch)
        except Exception as error:  # ONNX Runtime's own errors have no common class
            raise LecoError(f"The file cannot answer these texts: {shortened(error, 400)}") from error

    def collate(self, encodings: Sequence[Encoding]) -> dict[str, Array]:
        """The inputs [B, L] of a batch, padded at the right."""
        length = max(len(encoding["input_ids"]) for encoding in encodings)
        batch = {name: np.full((len(encodings), length), self._padding.get(name, 0), np.int64) for name in encodings[0]}
        for name, values in batch.items():
            for row, encoding in enumerate(encodings):
                values[row, : len(encoding[name])] = encoding[name]
        return batch

    def settings(self, criterion: Criterion) -> dict[str, Array]:
        """A criterion's settings as inputs; LecoError where the file holds another criterion."""
        if type(criterion) is not type(self.criterion):
            raise LecoError(
                f"The file exits by '{self.criterion.name}', not by '{criterion.name}'. Export the model again with "
                f"{parameter('criterion')} {criterion.name}."
            )
        return {name: value for name, value in setting_arrays(criterion).items() if name in self._settings}
