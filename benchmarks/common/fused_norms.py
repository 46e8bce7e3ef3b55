"""ONNX models as ONNX Runtime's own optimizer makes them, to hold ours against."""

import onnx

from leco.export.graph import MICROSOFT


def with_fused_norms(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model with the operator that ONNX Runtime's optimizer makes of a sum and its norm in what PyTorch exports."""
    nodes = model.graph.node
    sums = {node.output[0]: node for node in nodes if node.op_type == "Sum"}
    norms = [node for node in nodes if node.op_type == "LayerNormalization" and node.input[0] in sums]
    for norm in norms:
        its_sum = sums[norm.input[0]]
        norm.op_type, norm.domain = "SkipLayerNormalization", MICROSOFT
        norm.input[:] = [*its_sum.input, *norm.input[1:]]
        nodes.remove(its_sum)
    return model
