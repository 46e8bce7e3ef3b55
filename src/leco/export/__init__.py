"""A multi-exit model as one file for ONNX Runtime."""

from leco.extras import needed

with needed():
    import onnx as onnx
    import onnxruntime as onnxruntime

from leco.export.choice import Quality, choose_for
from leco.export.early_exit import ModelWriter
from leco.export.files import MARK, export_onnx, kept_certificate

__all__ = ["MARK", "ModelWriter", "Quality", "choose_for", "export_onnx", "kept_certificate"]
