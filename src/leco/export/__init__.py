"""A multi-exit model as one file for ONNX Runtime."""

from leco.errors import LecoError

try:
    import onnx as onnx
    import onnxruntime as onnxruntime
except ImportError as error:
    raise LecoError("ONNX and ONNX Runtime are needed: pip install 'leco[onnx]'.") from error

from leco.export.choice import Quality, choose_for
from leco.export.early_exit import ModelWriter
from leco.export.files import MARK, export_onnx, kept_certificate

__all__ = ["MARK", "ModelWriter", "Quality", "choose_for", "export_onnx", "kept_certificate"]
