"""Encoders that are not written by hand: PyTorch's exporter traces their embeddings and each of their layers."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from transformers import PreTrainedModel

from leco.export.graph import Graph
from leco.export.int8 import by_token
from leco.model.backbones import backbone_for


class _Embeddings(nn.Module):
    def __init__(self, model: PreTrainedModel, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names, self.family = model, names, backbone_for(model.config)

    def forward(self, *values: Tensor) -> Tensor:
        return self.family.embed(self.model, dict(zip(self.names, values, strict=True)))


class _Layer(nn.Module):
    def __init__(self, model: PreTrainedModel, index: int) -> None:
        super().__init__()
        self.model, self.index, self.family = model, index, backbone_for(model.config)

    def forward(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        context = self.family.context(self.model, hidden, attention_mask)
        return self.family.layer(self.model, self.index, hidden, context)


class TracedBackbone:
    """Writes the embeddings and the layers of any encoder that the project knows."""

    def __init__(self, model: PreTrainedModel, *, int8: bool, opset: int) -> None:
        self.model, self.int8, self.opset = model, int8, opset

    def embed(self, graph: Graph, inputs: Mapping[str, str]) -> str:
        """The hidden state before the first layer [b, L, d], of the inputs [b, L]."""
        example = [torch.zeros(2, 3, dtype=torch.int64) for _ in inputs]  # one tensor twice would be one input
        traced = trace(_Embeddings(self.model, tuple(inputs)), example, self.opset)
        return self._inline(graph, traced, list(inputs.values()))

    def layer(self, graph: Graph, index: int, hidden: str, mask: str) -> str:
        """The hidden state [b, L, d] after layer `index`, counted from 0; `mask` [b, L] is int32, 1 at tokens."""
        family = backbone_for(self.model.config)
        example = torch.randn(2, 3, family.hidden_size(self.model.config)), torch.ones(2, 3, dtype=torch.int32)
        return self._inline(graph, trace(_Layer(self.model, index), example, self.opset), [hidden, mask])

    def _inline(self, graph: Graph, traced: onnx.GraphProto, inputs: list[str]) -> str:
        """Add the nodes of a traced graph, on these inputs, to another; matrices become int8 if wanted."""
        weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in traced.initializer}
        names = dict(zip((value.name for value in traced.input), inputs, strict=True))
        names[""] = ""

        def value(name: str) -> str:
            if name not in names:
                names[name] = graph.weight(weights[name])
            return names[name]

        for node in traced.node:
            kind, last = node.op_type, node.input[-1] if node.input else ""
            if self.int8 and kind == "MatMul" and last in weights and weights[last].ndim == 2:
                names[node.output[0]] = by_token(graph, value(node.input[0]), weights[last])
            else:
                names.update(zip(node.output, graph.copy(node, [value(name) for name in node.input]), strict=True))
        return names[traced.output[0].name]


def trace(module: nn.Module, example: Any, opset: int) -> onnx.GraphProto:
    """The graph of a module whose inputs [B, L, ..] may have any number of rows and tokens."""
    shape = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens")}
    with _silence():
        program = torch.onnx.export(
            module.eval(),
            tuple(example),
            dynamo=True,
            opset_version=opset,
            dynamic_shapes={"values": (shape,) * len(example)} if isinstance(module, _Embeddings) else (shape, shape),
            verbose=False,
        )
    assert program is not None
    graph: onnx.GraphProto = program.model_proto.graph
    return graph


@contextmanager
def _silence() -> Iterator[None]:
    """The exporter warns of what concerns its developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
