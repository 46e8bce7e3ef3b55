"""An exported model in ONNX Runtime, a predictor like the model it was made from; no PyTorch is needed.

Shapes: B rows of a batch, N texts, K outputs, L tokens.
"""

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from leco.calibration import Certificate
from leco.criteria import Criterion, Task, setting_arrays
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.extras import needed
from leco.progress import say
from leco.provenance import Provenance
from leco.runtime.engine import Decisions, in_batches
from leco.runtime.metadata import TOKENIZER, read_metadata
from leco.runtime.predictor import INT8_OF_BEFORE, PredictorMixin, ignore
from leco.runtime.texts import check_threads, checked
from leco.tokens import Encoding, Text, pad

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Array = NDArray[Any]
CPUINFO = Path("/proc/cpuinfo")


def open_session(
    graph: str | Path | bytes, *, threads: int | None = None, spinning: bool = True, careful: bool = False
) -> "InferenceSession":
    """ONNX Runtime's session on a file or on a model's bytes, on the processor; the rest as in `Session`.

    A `careful` one adds up products of 8-bit integers in 32 bits where x86 processors without VNNI have 16, in which
    those of files of before may overflow: in the outermost graph alone, since ONNX Runtime reaches no other.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # it warns of each input that has a default
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    options.add_session_config_entry("session.x64quantprecision", str(int(careful)))
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def adds_in_16_bits() -> bool:
    """Whether ONNX Runtime adds up two products of 8-bit integers in 16 bits on this processor: an x86 without VNNI.

    Where its features cannot be read, it may.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return "vnni" not in CPUINFO.read_text(encoding="utf-8")
    except OSError:
        return True


class Session(PredictorMixin):
    """A file that `leco export` wrote, ready to answer in ONNX Runtime, on the processor.

    >>> session = Session("reviews-model/model.onnx", threads=1)
    >>> session.predict(["a good film"], criterion="cobee:tau=0.2,patience=1")[0].label
    'positive'

    Args:
        path: the file.
        threads: how many threads one call uses; by default as many as the machine has cores.
        spinning: whether idle threads wait busily. That is a little faster for one session alone; with several in one
            process, or with other work on the machine, it is much slower.

    Attributes:
        label_names: the outputs' names [K].
        criterion: the exit criterion with the settings that the file holds.
        task: the numbers of outputs and layers, and the kind of problem.
        max_length: the number of tokens to which texts are cut.
        metadata: all that the file says of itself.

    Raises:
        LecoError: where the file is missing, is none of ours, or ONNX Runtime is not installed.

    """

    def __init__(self, path: str | Path, *, threads: int | None = None, spinning: bool = True) -> None:
        with needed():
            import onnxruntime  # noqa: F401
            import tokenizers
        if not isinstance(path, str | os.PathLike) or not os.path.isfile(path):  # noqa: PTH113 - Path's may raise
            raise LecoError(
                f"The file '{shortened(path, 200)}' does not exist. 'leco export DIR --to onnx' writes one."
            )
        check_threads(threads)
        self.metadata: dict[str, Any]
        self.criterion: Criterion
        try:
            self._session = open_session(path, threads=threads, spinning=bool(spinning))
            self.metadata, known, self.criterion = read_metadata(self._session)
            if known.precision in INT8_OF_BEFORE and adds_in_16_bits():
                say(
                    f"warning: the int8 file '{path}' is of a former version. On x86 processors without VNNI, such as "
                    "this one, its answers can be wrong: export the model again."
                )
                self._session = open_session(path, threads=threads, spinning=bool(spinning), careful=True)
            tokenizer = self._session.get_modelmeta().custom_metadata_map[TOKENIZER]
            self._tokenizer: Tokenizer = tokenizers.Tokenizer.from_str(tokenizer)
            self._tokenizer.no_padding()
            cut = self._tokenizer.truncation or {"direction": "right"}
            self._tokenizer.enable_truncation(known.max_length, direction=cut["direction"])
        except Exception as error:  # ONNX Runtime's own errors have no common class
            problem = shortened(str(error).rstrip("."), 300) if str(error) != repr(TOKENIZER) else "it has no tokenizer"
            raise LecoError(
                f"'{path}' is no file that 'leco export' wrote, or it is broken: {problem}. Export the model again."
            ) from error
        self._inputs = [value.name for value in self._session.get_inputs()]
        self._settings = {value.name for value in self._session.get_overridable_initializers()}
        self._padding = known.padding
        self.label_names: list[str] = known.labels
        self.task: Task = known.task()
        self.max_length: int = known.max_length
        self._trained_on = Provenance.from_dict(known.trained_on)
        self._certificate = Certificate.from_dict(known.certificate)
        self._precision = known.precision

    @property
    def runtime(self) -> str:
        """That of exported files."""
        return "ONNX Runtime"

    @property
    def precision(self) -> str:
        """float32, or int8 where the layers' matrices are, by batch or by processor in files of before."""
        return self._precision

    @property
    def certificate(self) -> Certificate | None:
        """What is promised of the file's answers, if anything is."""
        return self._certificate

    @property
    def trained_on(self) -> Provenance | None:
        """The data of the training and how they are read, where the file says so."""
        return self._trained_on

    @property
    def full_depth(self) -> Criterion:
        """The settings of the file's criterion by which no text leaves early; the exits are computed nevertheless."""
        return type(self.criterion).sweep(self.task)[0]

    def encode(self, texts: Iterable[Text], on_cut: Callable[[int], None] = ignore) -> list[Encoding]:
        """The tokens of each text, cut to the model's length; `on_cut` is told how many had to be.

        LecoError for what is no text, and where the file's tokenizer fails.
        """
        given = list(checked(texts))
        try:
            encodings = self._tokenizer.encode_batch(given)
        except Exception as error:  # the library's errors have no other class
            raise LecoError(f"The file's tokenizer fails: {shortened(error, 200)}. Export the model again.") from error
        on_cut(sum(bool(encoding.overflowing) for encoding in encodings))
        parts = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
        wanted = {name: part for name, part in parts.items() if name in self._inputs}
        return [{name: getattr(encoding, part) for name, part in wanted.items()} for encoding in encodings]

    def decide(
        self,
        encodings: Sequence[Encoding],
        criterion: Criterion | None = None,
        *,
        batch_size: int = 1,
        on_batch: Callable[[int], None] = ignore,
    ) -> Decisions:
        """The scores [N, K] and exit layers [N] of tokenized texts in their order; batches have similar lengths.

        LecoError for a criterion that is not the file's kind, and for what the graph refuses.
        """
        settings = self.settings(criterion or self.criterion)

        def run(batch: list[Encoding]) -> Decisions:
            return Decisions(*self._run({**self.collate(batch), **settings}))

        return in_batches(run, encodings, self.task.num_outputs, batch_size=batch_size, on_batch=on_batch)

    def _run(self, batch: Mapping[str, Array]) -> list[Array]:
        """The graph's outputs; LecoError with what ONNX Runtime says where the graph refuses a batch."""
        try:
            return self._session.run(None, batch)
        except Exception as error:  # ONNX Runtime's own errors have no common class
            raise LecoError(f"The file cannot answer these texts: {shortened(error, 400)}") from error

    def collate(self, encodings: Sequence[Encoding]) -> dict[str, Array]:
        """The inputs [B, L] of a batch, padded at the right."""
        return pad(encodings, self._padding)

    def settings(self, criterion: Criterion) -> dict[str, Array]:
        """A criterion's settings as inputs of the graph, scalars; LecoError where the file holds another criterion."""
        if type(criterion) is not type(self.criterion):
            raise LecoError(
                f"The file exits by '{self.criterion.name}', not by '{criterion.name}'. Export the model again with "
                f"{parameter('criterion')} {criterion.name}."
            )
        criterion.check(self.task)
        return {name: value for name, value in setting_arrays(criterion).items() if name in self._settings}
