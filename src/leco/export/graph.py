"""A small builder of ONNX graphs: nodes, weights and branches, with names that need no thought."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import EncodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from leco.errors import LecoError

MICROSOFT, ML = "com.microsoft", "ai.onnx.ml"
"""The domain of ONNX Runtime's own operators, among them the fused ones, and ONNX's own of those that know words."""

FLOAT, INT32, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL
DOUBLE = TensorProto.DOUBLE


class Graph:
    """A graph in the making. A value is its name; what a branch does not have, it takes from the graph around it.

    `scope` is the beginning of the names of the nodes that are added; set it to say where in the model they belong.
    """

    def __init__(self, around: "Graph | None" = None) -> None:
        self.around = around
        self.scope: str = around.scope if around else ""
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._numbers: Any = around._numbers if around else count()
        self._constants: dict[tuple[str, bytes], str] = around._constants if around else {}
        self._once: dict[str, str] = around._once if around else {}

    @property
    def root(self) -> "Graph":
        """The outermost graph."""
        return self.around.root if self.around else self

    def op(self, kind: str, *inputs: str, domain: str = "", name: str = "", **attributes: Any) -> str:
        """Add a node with one output, and give that. An empty input is left out."""
        label = self._name(name or kind)
        self.nodes.append(helper.make_node(kind, inputs, [label], label, domain=domain, **attributes))
        return label

    def ops(
        self, kind: str, *inputs: str, outputs: int, domain: str = "", name: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs."""
        labels = [self._name(name or kind) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, labels, labels[0], domain=domain, **attributes))
        return labels

    def copy(self, node: onnx.NodeProto, inputs: Sequence[str]) -> list[str]:
        """Add a node of another graph, with inputs of this one."""
        labels = [self._name(node.op_type) if output else "" for output in node.output]
        made = onnx.NodeProto()
        made.CopyFrom(node)
        del made.input[:], made.output[:]
        made.name = labels[0]
        made.input.extend(inputs)
        made.output.extend(labels)
        self.nodes.append(made)
        return labels

    def weight(self, value: NDArray[Any], name: str = "weight") -> str:
        """A tensor. It is kept in the outermost graph: ONNX Runtime packs a matrix for its kernel if the matrix lies in
        the kernel's own graph or in the one around it, and keeps the tensors of branches in memory several times.
        """
        label = self._name(name)
        self.root.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), label))
        return label

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        """A small tensor, kept once in the outermost graph."""
        array = np.asarray(value, dtype)
        key = f"{array.dtype}{array.shape}", array.tobytes()
        if key not in self._constants:
            self._constants[key] = self.root.weight(array, "constant")
        return self._constants[key]

    def once(self, name: str, make: Callable[["Graph"], str]) -> str:
        """What `make` adds to the outermost graph when it is asked for first, and gives again whenever it is then."""
        if name not in self._once:
            self._once[name] = make(self.root)
        return self._once[name]

    def check(self, value: str, fault: str, message: str) -> str:
        """`value`, a scalar, or where `fault` (bool) is true an error of ONNX Runtime that has `message` in it."""
        place = self.op("Cast", fault, to=INT64)
        return self.op("Gather", self.op("Unsqueeze", value, self.constant([0])), place, name=message)  # no place 1

    def check_all(self, right: str, message: str) -> str:
        """Zero, a scalar, or where some of `right`, a tensor of bool, is false an error that has `message` in it."""
        wrong = self.op("ReduceSum", self.op("Cast", self.op("Not", right), to=INT64), keepdims=0)
        return self.check(self.constant(0), self.op("Cast", wrong, to=BOOL), message)

    def branch(self) -> "Graph":
        """A graph inside this one."""
        return Graph(self)

    def parameter(self, name: str) -> str:
        """A value that a loop hands to this graph, its body."""
        return self._name(name)

    def output(self, value: str, name: str, type: int, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
        """Give `value` a name of its own, as an output of the model."""
        self.nodes.append(helper.make_node("Identity", [value], [name], name))
        return helper.make_tensor_value_info(name, type, shape)

    def choose(
        self,
        condition: str,
        then: tuple["Graph", Sequence[str]],
        otherwise: tuple["Graph", Sequence[str]],
        types: Sequence[int],
    ) -> list[str]:
        """The values that one of two branches gives, by a scalar; `types` are the tensor types of those values."""
        branches = {"then_branch": then, "else_branch": otherwise}
        protos = {name: graph.to_branch(values, types) for name, (graph, values) in branches.items()}
        return self.ops("If", condition, outputs=len(types), **protos)

    def to_branch(
        self, values: Sequence[str], types: Sequence[int], inputs: Sequence[onnx.ValueInfoProto] = ()
    ) -> onnx.GraphProto:
        """A branch or a loop's body that gives `values`; what comes from outside is handed through by an Identity."""
        own = {output for node in self.nodes for output in node.output}
        given = [value if value in own else self.op("Identity", value) for value in values]
        infos = [helper.make_tensor_value_info(value, type, None) for value, type in zip(given, types, strict=True)]
        return helper.make_graph(self.nodes, self._name("graph"), inputs, infos)

    def _name(self, name: str) -> str:
        scope = f"{self.scope}/" if self.scope else ""
        return f"{scope}{name}_{next(self._numbers)}"


def make_model(
    graph: Graph,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    opset: int,
    name: str = "leco",
) -> onnx.ModelProto:
    """The model of an outermost graph, with the operators of the given opset and of ONNX Runtime."""
    proto = helper.make_graph(graph.nodes, name, inputs, outputs, graph.initializers)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
    if any(node.domain == ML for node in graph.nodes):
        opsets.append(helper.make_opsetid(ML, 2))
    version = helper.find_min_ir_version_for(opsets[:1])
    return helper.make_model(proto, opset_imports=opsets, producer_name="leco", ir_version=version)


def serialized(made: onnx.ModelProto) -> bytes:
    """The bytes of a graph; LecoError where these are more than the format can hold."""
    try:
        return made.SerializeToString()
    except (EncodeError, ValueError) as error:
        raise LecoError(
            "This model is larger than 2 GiB, which a file of ONNX cannot hold: it answers by its folder alone."
        ) from error
