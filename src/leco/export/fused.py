"""Encoders with a norm after attention and one after feed-forward, written with ONNX Runtime's fused attention.

ONNX Runtime's own optimizer never makes this fusion inside a branch. Its fusion of a norm with the sum before it is
avoided: on a processor `SkipLayerNormalization` takes several times as long as the two, and the optimizer makes it of
an `Add` whose dimensions it knows, but not of a `Sum`. Shapes: b rows, L tokens, d hidden. `mask` [b, L] is int32, 1 at
tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn
from transformers import PreTrainedModel

from leco.errors import LecoError
from leco.export.exits import ACTIVATIONS as EXIT_ACTIVATIONS
from leco.export.exits import MASKED, affine, array
from leco.export.graph import INT64, MICROSOFT, Graph
from leco.export.int8 import matrix_product, quantize
from leco.model.backbones import backbone_for


@dataclass(frozen=True)
class Names:
    """Where a family keeps the parts of a layer, as paths within it."""

    query: str
    key: str
    value: str
    attention_out: str
    attention_norm: str
    inner: str
    outer: str
    norm: str


BERT = Names(
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attention_out="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    inner="intermediate.dense",
    outer="output.dense",
    norm="output.LayerNorm",
)
ALBERT = Names(
    query="attention.query",
    key="attention.key",
    value="attention.value",
    attention_out="attention.dense",
    attention_norm="attention.LayerNorm",
    inner="ffn",
    outer="ffn_output",
    norm="full_layer_layer_norm",
)
DISTILBERT = Names(
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attention_out="attention.out_lin",
    attention_norm="sa_layer_norm",
    inner="ffn.lin1",
    outer="ffn.lin2",
    norm="output_layer_norm",
)
FAMILIES: Mapping[str, Names] = {
    "albert": ALBERT,
    "bert": BERT,
    "camembert": BERT,
    "distilbert": DISTILBERT,
    "electra": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
}
"""The families whose layers are written so, by the `model_type` of their configurations."""

FROM_IDS = frozenset({"camembert", "roberta", "xlm-roberta"})
"""Those whose positions are counted from the ids, past the padding token's own."""

PROJECTIONS = "embeddings_project", "encoder.embedding_hidden_mapping_in"
"""Where families with narrow embeddings keep the layer that brings them to the width of the others."""


def _fast_gelu(graph: Graph, x: str) -> str:
    return graph.op("FastGelu", x, domain=MICROSOFT)


ACTIVATIONS: Mapping[str, Callable[[Graph, str], str]] = {
    "gelu": EXIT_ACTIVATIONS["gelu"],
    **dict.fromkeys(("gelu_new", "gelu_pytorch_tanh", "gelu_fast"), _fast_gelu),
    "relu": EXIT_ACTIVATIONS["relu"],
}
"""The activations of feed-forward parts, by their names in Transformers."""


class FusedBackbone:
    """Writes the embeddings and the layers of an encoder of one of `FAMILIES`."""

    def __init__(self, model: PreTrainedModel, *, int8: bool) -> None:
        config: Any = model.config
        self.model, self.int8, self.config = model, int8, config
        self.family, self.names = backbone_for(config), FAMILIES[config.model_type]
        self.activation = str(getattr(config, "hidden_act", None) or config.activation)
        if self.activation not in ACTIVATIONS:
            raise LecoError(
                f"The backbone's activation '{self.activation}' cannot be exported; known: {', '.join(ACTIVATIONS)}."
            )

    def embed(self, graph: Graph, inputs: Mapping[str, str]) -> str:
        """The hidden state before the first layer [b, L, d], of the inputs [b, L]."""
        embeddings: Any = self.model.get_submodule("embeddings")
        ids = inputs["input_ids"]
        words = graph.op("Gather", graph.weight(array(embeddings.word_embeddings.weight)), ids, name="input_ids")
        too_long = f"input_ids must have at most {self.family.max_length(self.config)} tokens"
        positions = self._positions(graph, ids, embeddings.position_embeddings, too_long)
        hidden = graph.op("Sum", words, positions, name=too_long)
        if hasattr(embeddings, "token_type_embeddings"):
            hidden = graph.op("Sum", hidden, self._types(graph, inputs, embeddings.token_type_embeddings))
        hidden = _norm(graph, hidden, embeddings.LayerNorm)
        modules = dict(self.model.named_modules())
        for projection in (modules[path] for path in PROJECTIONS if path in modules):
            hidden = self._affine(graph, hidden, projection)
        return hidden

    def layer(self, graph: Graph, index: int, hidden: str, mask: str) -> str:
        """The hidden state [b, L, d] after layer `index`, counted from 0."""
        block = self.family.block(self.model, index)
        part: dict[str, Any] = {name: block.get_submodule(path) for name, path in vars(self.names).items()}
        attended = self._attention(graph, hidden, mask, [part["query"], part["key"], part["value"]])
        attended = self._affine(graph, attended, part["attention_out"])
        hidden = _norm(graph, graph.op("Sum", attended, hidden), part["attention_norm"])
        inner = ACTIVATIONS[self.activation](graph, self._affine(graph, hidden, part["inner"]))
        return _norm(graph, graph.op("Sum", self._affine(graph, inner, part["outer"]), hidden), part["norm"])

    def _affine(self, graph: Graph, x: str, module: Any) -> str:
        """`x` [b, L, n] through a linear layer."""
        if not self.int8:
            return affine(graph, x, module)
        return matrix_product(graph, x, array(module.weight).T, array(module.bias))

    def _attention(self, graph: Graph, hidden: str, mask: str, projections: list[Any]) -> str:
        weight = np.concatenate([array(module.weight).T for module in projections], axis=1)
        bias = graph.weight(np.concatenate([array(module.bias) for module in projections]))
        heads = int(self.config.num_attention_heads)
        options: dict[str, Any] = {"num_heads": heads, "mask_filter_value": MASKED, "domain": MICROSOFT}
        if not self.int8:
            return graph.op("Attention", hidden, graph.weight(weight), bias, mask, **options)
        values, scale = quantize(weight)
        matrix, by_column = graph.weight(values), graph.weight(scale)
        zeros = graph.weight(np.zeros(len(scale), np.int8))
        x, x_scale, x_zero = graph.ops("DynamicQuantizeLinear", hidden, outputs=3)
        return graph.op("QAttention", x, matrix, bias, x_scale, by_column, mask, x_zero, zeros, **options)

    def _positions(self, graph: Graph, ids: str, table: Any, too_long: str) -> str:
        weight = graph.weight(array(table.weight))
        if self.config.model_type in FROM_IDS:
            padding, axis = graph.constant(self.config.pad_token_id), graph.constant(1)
            tokens = graph.op("Cast", graph.op("Not", graph.op("Equal", ids, padding)), to=INT64)
            numbers = graph.op("Mul", graph.op("CumSum", tokens, axis), tokens)
            return graph.op("Gather", weight, graph.op("Add", numbers, padding), name=too_long)
        length = graph.op("Shape", ids, start=1, end=2)
        return graph.op("Slice", weight, graph.constant([0]), length, graph.constant([0]))

    def _types(self, graph: Graph, inputs: Mapping[str, str], table: Any) -> str:
        weight = array(table.weight)
        if "token_type_ids" not in inputs:
            return graph.weight(weight[0])
        return graph.op("Gather", graph.weight(weight), inputs["token_type_ids"], name="token_type_ids")


def _norm(graph: Graph, x: str, norm: nn.LayerNorm) -> str:
    scale, shift = graph.weight(array(norm.weight)), graph.weight(array(norm.bias))
    return graph.op("LayerNormalization", x, scale, shift, epsilon=norm.eps)
