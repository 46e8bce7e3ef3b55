"""The file of an exported model: the graph, and what a program needs to know to use it."""

import json
from pathlib import Path

import onnx
from onnx import helper
from tokenizers import Tokenizer

from leco.calibration import Certificate
from leco.criteria import Criterion
from leco.data import padding
from leco.display import visible
from leco.environment import versions
from leco.errors import LecoError, parameter
from leco.export.early_exit import ModelWriter
from leco.export.graph import serialized
from leco.files import atomic_path
from leco.model import MultiExitModel
from leco.outputs import check_output

LATEST = onnx.defs.onnx_opset_version()
OPSET = 18
"""The oldest opset that has all operators, so that the file runs in the most programs."""
MARK = b"\x12\x04leco"
"""The producer of a graph, as a field of the file."""


def export_onnx(
    model: MultiExitModel, path: Path, *, criterion: Criterion | None = None, int8: bool = False, opset: int = OPSET
) -> None:
    """Write `model` as one file that leaves by `criterion` (the model's own by default), whole or not at all.

    With `int8` the layers' matrices are of 8 bits; `opset` is the version of ONNX's operators. The tokenizer, the
    labels, the criterion and where all comes from are in the file's metadata, under `leco.*`. LecoError for a
    criterion, an exit or a tokenizer that has no form in ONNX, for an opset that is not supported, and where `path` is
    something else than such a file.

    >>> import leco
    >>> from leco.criteria import Entropy
    >>> model = leco.load("reviews-model", device="cpu")
    >>> export_onnx(model, Path("by-entropy.onnx"), criterion=Entropy(tau=0.2))
    >>> leco.load("by-entropy.onnx").criterion
    Entropy(tau=0.2, normalized=False)
    """
    if not OPSET <= opset <= LATEST:
        raise LecoError(f"{parameter('opset')} must be from {OPSET} to {LATEST}, not {opset}.")
    check_output(path, MARK)
    criterion = criterion or model.config.criterion
    made = ModelWriter(model, int8=int8, opset=opset).early_exit(criterion)
    write_model(made, path, model, criterion, int8=int8)


def kept_certificate(model: MultiExitModel, criterion: Criterion, *, int8: bool) -> Certificate | None:
    """The model's certificate, where it holds for a file that leaves by `criterion`: in float32 the answers are the
    model's but for rounding, in int8 they are others.
    """
    held = model.certificate
    return held if held is not None and not held.doubt(criterion, "int8" if int8 else "float32") else None


def write_model(
    made: onnx.ModelProto, path: Path, model: MultiExitModel, criterion: Criterion, *, int8: bool = False
) -> None:
    """Write a graph of `model` with the metadata that `leco.runtime.Session` reads."""
    check_output(path, MARK)
    tokenizer = model.tokenizer
    certificate = kept_certificate(model, criterion, int8=int8)
    if not tokenizer.is_fast:
        raise LecoError("The model's tokenizer has no fast version, so that it cannot be kept in the file.")
    metadata = {
        "labels": model.config.label_names,
        "problem_type": model.config.problem_type,
        "layers": model.task.num_layers,
        "criterion": criterion.to_dict(),
        "int8": int8,
        "batch_invariant": True,
        "processor_invariant": True,
        "max_length": model.max_length,
        "padding": padding(tokenizer),
        "trained_on": model.config.trained_on,
        "certificate": None if certificate is None else certificate.to_dict(),
        "std": model.config.statistics.std,
        "source": visible(model.name_or_path),
        "backbone": model.config.backbone_config.model_type,
        "versions": {**versions(), "onnx": onnx.__version__},
    }
    if model.task.named_layers:
        metadata["exit_layers"] = model.task.named_layers
    props = {f"leco.{name}": json.dumps(value, ensure_ascii=False) for name, value in metadata.items()}
    own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    own.enable_truncation(model.max_length, direction=tokenizer.truncation_side)
    helper.set_model_props(made, {**props, "leco.tokenizer": own.to_str()})
    with atomic_path(path) as temporary:
        temporary.write_bytes(serialized(made))
