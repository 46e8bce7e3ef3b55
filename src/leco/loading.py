"""A predictor by its path, whatever made it; PyTorch is imported for model folders alone."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from leco.errors import LecoError
from leco.extras import needed
from leco.files import read_json
from leco.runtime import Predictor, Session, doubt_of
from leco.runtime.texts import check_threads

if TYPE_CHECKING:
    from leco.model import MultiExitModel, PlainClassifier

logger = logging.getLogger(__name__)

ONNX = ".onnx"
ON_PROCESSOR = ("auto", "cpu")
"""The devices of an ONNX file."""
BF16 = "bf16"
PRECISIONS = (None, "float32", BF16)


@dataclass(frozen=True)
class PredictorSpec:
    """What loads a predictor, here or, since it is small and can be pickled, in another process.

    >>> PredictorSpec("reviews-model/model.onnx", threads=1).load().max_length
    24

    Attributes:
        path: a model folder of `leco fit`, the folder of a plain Transformers classifier, or a file of `leco export`.
        threads: how many threads one call uses, from 1 to 1024; None is as many as the machine has cores. PyTorch has
            one number for the whole process, which is then this one.
        device: where a model folder runs: auto (a GPU if there is one), cpu, cuda, cuda:N or mps. ONNX files run on the
            processor.
        precision: of a multi-exit model's backbone, "float32" or "bf16" (`MultiExitModel.prepare`); None is as it is
            saved, which is the only one for the others.
        compile: whether a multi-exit model's layers are compiled (`MultiExitModel.prepare`).

    """

    path: str | Path
    threads: int | None = None
    device: str = "auto"
    precision: str | None = None
    compile: bool = False

    def load(self) -> Predictor:
        """The predictor; LecoError where there is none, it is broken, or what is asked of it cannot be had."""
        path = self.path
        if not isinstance(path, str | Path) or not str(path):
            raise LecoError(f"A predictor is loaded from a model folder or an ONNX file, not from {path!r:.80}.")
        check_threads(self.threads)
        if self.precision not in PRECISIONS:
            raise LecoError(f"The precision must be float32 or bf16, not {self.precision!r:.80}.")
        return self._load_file() if is_file(path) else self._load_folder()

    def _load_file(self) -> Session:
        if self.device not in ON_PROCESSOR:
            raise LecoError(f"An ONNX file runs on the processor: the device must be auto or cpu, not '{self.device}'.")
        if self.precision is not None or self.compile:
            raise LecoError(
                f"The precision of '{self.path}' is in the file, which is compiled already: bf16 and compile are for "
                "model folders. 'leco export DIR --int8' writes a smaller file."
            )
        return Session(self.path, threads=self.threads)

    def _load_folder(self) -> "MultiExitModel | PlainClassifier":
        with needed():
            from leco.model import load_classifier, load_model

        if is_classifier(self.path):
            if self.precision == BF16 or self.compile:
                raise LecoError(f"'{self.path}' is a plain classifier: bf16 and compile are for multi-exit models.")
            loaded: MultiExitModel | PlainClassifier = load_classifier(self.path, self.device)
        else:
            model = load_model(self.path, self.device)
            loaded = model.prepare(bf16=self.precision == BF16, compile=self.compile)
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)
        return loaded


def load(
    path: str | Path,
    threads: int | None = None,
    device: str = "auto",
    precision: str | None = None,
    compile: bool = False,
) -> Predictor:
    """The predictor of a model folder, or of an ONNX file that `leco export` wrote; see `PredictorSpec`.

    A warning is logged where its certificate does not hold for it as it is.

    >>> import leco
    >>> answer = leco.load("reviews-model/model.onnx", threads=1).predict(["a good film"])[0]
    >>> answer.label, answer.scores["positive"] > 0.5, answer.exit_layer in (1, 2, 3)
    ('positive', True, True)

    Args:
        path: a model folder, the folder of a plain Transformers classifier, or an exported file.
        threads: how many threads one call uses; None is as many as the machine has cores.
        device: where a model folder runs: auto, cpu, cuda, cuda:N or mps.
        precision: of a model folder, "float32" or "bf16"; None is as it is saved.
        compile: whether the layers of a model folder are compiled.

    Raises:
        LecoError: where there is none, it is broken, or what is asked of it cannot be had.

    """
    loaded = PredictorSpec(path, threads, device, precision, compile).load()
    if doubt := doubt_of(loaded):
        logger.warning(doubt)
    return loaded


def as_predictor(given: Predictor | str | Path) -> Predictor:
    """A predictor that may be given by its path, as `load` takes it; LecoError for what is neither."""
    return cast("Predictor", given) if hasattr(given, "decide") else load(cast("Any", given))


def is_file(path: str | Path) -> bool:
    """Whether a path is an ONNX file's, there or not, and not a folder's."""
    return not os.path.isdir(path) and (os.path.isfile(path) or str(path).endswith(ONNX))  # noqa: PTH112, PTH113


def is_classifier(folder: str | Path) -> bool:
    """Whether a folder holds a plain classifier of Transformers; not where its configuration cannot be read."""
    try:
        config = cast("dict[str, Any]", read_json(Path(folder) / "config.json"))
        architectures = config.get("architectures") or ()
        return any(str(name).endswith("ForSequenceClassification") for name in architectures)
    except (LecoError, AttributeError, TypeError, OSError, ValueError):
        return False
