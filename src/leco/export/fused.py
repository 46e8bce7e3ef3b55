"""Encoders with a norm after attention and one after feed-forward, written with ONNX Runtime's fused attention.

ONNX Runtime's own optimizer never makes this fusion inside a branch. Its fusion of a norm with the sum before it is
avoided: on a processor `SkipLayerNormalization` takes several times as long as the two, and the optimizer makes it of
an `Add` whose dimensions it knows, but not of a `Sum`. Shapes: b rows, L tokens, d hidden. `mask` [b, L] is int32, 1 at
tokens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import nn
from transformers import PreTrainedModel

from leco.errors import LecoError
from leco.export.exits import ACTIVATIONS as EXIT_ACTIVATIONS
from leco.export.exits import array
from leco.export.graph import INT64, MICROSOFT, Graph
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
MPNET = Names(
    query="attention.attn.q",
    key="attention.attn.k",
    value="attention.attn.v",
    attention_out="attention.attn.o",
    attention_norm="attention.LayerNorm",
    inner="intermediate.dense",
    outer="output.dense",
    norm="output.LayerNorm",
)
FAMILIES: Mapping[str, Names] = {
    "albert": ALBERT,
    "bert": BERT,
    "camembert": BERT,
    "distilbert": DISTILBERT,
    "electra": BERT,
    "mpnet": MPNET,
    "roberta": BERT,
    "xlm-roberta": BERT,
}
"""The families whose layers are written so, by the `model_type` of their configurations."""

FROM_IDS = frozenset({"camembert", "mpnet", "roberta", "xlm-roberta"})
"""Those whose positions are counted from the ids, past the padding token's own."""

RELATIVE = frozenset({"mpnet"})
"""Those that add a bias by relative position to the scores of every attention."""

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


class Products(Protocol):
    """Writes the products of a layer, `x` [b, L, n] through linear layers, by what `x` comes from."""

    def after_norm(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """What a norm gave, through a linear layer."""

    def after_attention(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """What an attention gave, through a linear layer."""

    def after_activation(self, graph: Graph, x: str, module: nn.Linear) -> str:
        """What an activation gave, through a linear layer."""

    def attention(
        self, graph: Graph, x: str, mask: str, projections: Sequence[nn.Linear], heads: int, bias: str | None
    ) -> str:
        """The attention of the queries, keys and values that three projections make of what a norm gave.

        `bias` [1, heads, L, L], if any, is added to the scores.
        """


class FusedBackbone:
    """Writes the embeddings and the layers of an encoder of one of `FAMILIES`."""

    def __init__(self, model: PreTrainedModel, products: Products) -> None:
        config: Any = model.config
        self.model, self.products, self.config = model, products, config
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
        positions = self._positions(graph, ids, embeddings, too_long)
        hidden = graph.op("Sum", words, positions, name=too_long)
        if hasattr(embeddings, "token_type_embeddings"):
            hidden = graph.op("Sum", hidden, self._types(graph, inputs, embeddings.token_type_embeddings))
        hidden = _norm(graph, hidden, embeddings.LayerNorm)
        modules = dict(self.model.named_modules())
        for projection in (modules[path] for path in PROJECTIONS if path in modules):
            hidden = self.products.after_norm(graph, hidden, cast(nn.Linear, projection))
        return hidden

    def layer(self, graph: Graph, index: int, hidden: str, mask: str) -> str:
        """The hidden state [b, L, d] after layer `index`, counted from 0."""
        block, products = self.family.block(self.model, index), self.products
        part: dict[str, Any] = {name: block.get_submodule(path) for name, path in vars(self.names).items()}
        projections, heads = [part["query"], part["key"], part["value"]], int(self.config.num_attention_heads)
        attended = products.attention(graph, hidden, mask, projections, heads, self._position_bias(graph))
        attended = products.after_attention(graph, attended, part["attention_out"])
        hidden = _norm(graph, graph.op("Sum", attended, hidden), part["attention_norm"])
        inner = ACTIVATIONS[self.activation](graph, products.after_norm(graph, hidden, part["inner"]))
        outer = products.after_activation(graph, inner, part["outer"])
        return _norm(graph, graph.op("Sum", outer, hidden), part["norm"])

    def _position_bias(self, graph: Graph) -> str | None:
        """What is added to the scores of every layer's attention, [1, heads, L, L], if anything is."""
        return graph.once("position bias", self._write_position_bias) if self.config.model_type in RELATIVE else None

    def _write_position_bias(self, root: Graph) -> str:
        length = self.family.max_length(self.config)
        bias = self.family.context(self.model, torch.zeros(1, length, 1), torch.ones(1, length))["position_bias"][0]
        by_distance = array(torch.cat([bias[:, 1:, 0].flip(-1), bias[:, 0]], dim=-1))  # from 1 - length to length - 1
        tokens = root.op("Squeeze", root.op("Shape", "input_ids", start=1, end=2))
        places = root.op("Range", root.constant(0), tokens, root.constant(1))
        shifted = root.op("Add", places, root.constant(length - 1))
        distances = root.op("Sub", shifted, root.op("Unsqueeze", places, root.constant([1])))  # [L, L]
        by_head = root.op("Gather", root.weight(by_distance), distances, axis=1)
        return root.op("Unsqueeze", by_head, root.constant([0]))

    def _positions(self, graph: Graph, ids: str, embeddings: Any, too_long: str) -> str:
        weight = graph.weight(array(embeddings.position_embeddings.weight))
        if self.config.model_type in FROM_IDS:
            padding, axis = graph.constant(embeddings.padding_idx), graph.constant(1)
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
