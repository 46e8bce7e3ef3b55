"""int8 as it was before: the activations of a batch share one range, which is taken when it is known."""

import numpy as np

from leco.export import ModelWriter
from leco.export.exits import MASKED, array
from leco.export.fused import FusedBackbone
from leco.export.graph import MICROSOFT
from leco.export.int8 import quantize


class ByBatch:
    """The linear layers of an encoder in int8; see `leco.export.fused.Products`."""

    def after_norm(self, graph, x, module):
        """`x` through a linear layer."""
        values, scale = quantize(array(module.weight).T)
        inputs = [x, graph.weight(values), graph.weight(scale), "", graph.weight(array(module.bias))]
        return graph.op("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)

    after_attention = after_activation = after_norm

    def attention(self, graph, x, mask, projections, heads, bias):
        """The attention of what three projections make of `x`."""
        options = {"num_heads": heads, "mask_filter_value": MASKED, "domain": MICROSOFT}
        if bias is not None:
            projected = [self.after_norm(graph, x, module) for module in projections]
            return graph.op("MultiHeadAttention", *projected, "", mask, bias, **options)
        values, scale = quantize(np.concatenate([array(module.weight).T for module in projections], axis=1))
        biases = graph.weight(np.concatenate([array(module.bias) for module in projections]))
        x, x_scale, zero = graph.ops("DynamicQuantizeLinear", x, outputs=3)
        zeros = graph.weight(np.zeros(len(scale), np.int8))
        inputs = [x, graph.weight(values), biases, x_scale, graph.weight(scale), mask, zero, zeros]
        return graph.op("QAttention", *inputs, **options)


def by_batch(model):
    """A writer of a model whose family has fused attention."""
    writer = ModelWriter(model)
    writer.backbone = FusedBackbone(model.backbone, ByBatch())
    return writer
