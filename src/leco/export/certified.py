"""The certificate of an exported file, and the settings that it is for, written into the file."""

import json
from pathlib import Path

import onnx
from onnx import helper, numpy_helper

from leco.calibration import Certificate
from leco.criteria import setting_arrays
from leco.export.graph import serialized
from leco.files import atomic_path


def certify_file(path: Path, certificate: Certificate) -> None:
    """Make a certificate's settings those of a file, in its metadata and as the defaults of its graph, and keep it.

    The criterion is the file's own; the file is written whole or not at all.
    """
    made = onnx.load(path)
    settings = setting_arrays(certificate.exits)
    for tensor in made.graph.initializer:
        if tensor.name in settings:
            tensor.CopyFrom(numpy_helper.from_array(settings[tensor.name], tensor.name))
    said = {"criterion": certificate.criterion, "certificate": certificate.to_dict()}
    texts = {f"leco.{name}": json.dumps(value, ensure_ascii=False) for name, value in said.items()}
    helper.set_model_props(made, {**{prop.key: prop.value for prop in made.metadata_props}, **texts})
    with atomic_path(path) as temporary:
        temporary.write_bytes(serialized(made))
