"""Linear layers and attentions in float32."""

from collections.abc import Sequence

import numpy as np
from torch import nn

from leco.export.exits import MASKED, affine, array
from leco.export.graph import MICROSOFT, Graph


class Float32:
    """The linear layers of an encoder as they are."""

    def after_norm(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """`x` [b, L, n], which a norm gave, through a linear layer."""
        return affine(graph, x, module)

    after_attention = after_activation = after_norm

    def attention(
        self, graph: Graph, x: str, mask: str, projections: Sequence[nn.Linear], heads: int, bias: str | None
    ) -> str:
        """The attention [b, L, d] of queries, keys and values that the projections make of `x` [b, L, d]."""
        weights = graph.weight(np.concatenate([array(module.weight).T for module in projections], axis=1))
        biases = graph.weight(np.concatenate([array(module.bias) for module in projections]))
        inputs = [x, weights, biases, mask, *(("", bias) if bias else ())]  # nothing of the past
        return graph.op("Attention", *inputs, domain=MICROSOFT, num_heads=heads, mask_filter_value=MASKED)
