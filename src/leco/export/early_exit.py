"""A multi-exit model as one ONNX graph that stops computing when its exit criterion says so.

The layers stand in a flat chain: each but the first is a branch that is taken while rows are inside, so that memory
grows as it does without exits. Where all layers share their weights (ALBERT), one layer stands in a loop instead. Rows
that leave are taken out of the hidden state, so that they cost nothing more at any batch size.

Shapes: B rows of the batch, b rows inside, L tokens, M layers counted from 1, E of them with an exit, K outputs.
"""

import copy
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from leco.criteria import DOUBTS, EVIDENCE, Criterion, exit_places, setting_arrays
from leco.export.criteria import Layer, Values, Writer, writer_for
from leco.export.exits import Tokens, write_evidence, write_exit
from leco.export.floats import Float32
from leco.export.fused import FAMILIES, FusedBackbone
from leco.export.graph import BOOL, FLOAT, INT32, INT64, Graph, make_model
from leco.export.int8 import Int8
from leco.export.ranges import input_ranges
from leco.export.traced import TracedBackbone
from leco.model import MultiExitModel
from leco.model.backbones import backbone_for
from leco.options import naming
from leco.runtime.metadata import FULL_DEPTH

INPUTS = "input_ids", "attention_mask", "token_type_ids"
TYPES = {"hidden": FLOAT, "mask": INT32, "rows": INT64, "results": FLOAT}
"""What goes from layer to layer beside the criterion's state: the hidden state [b, L, d] and the mask [b, L] of the
rows inside; which rows [b, 1] of the batch these are; and for each row of the batch what the last exit that it reached
said, and behind it that exit's layer, [B, K + 1]."""


class BackboneWriter(Protocol):
    """Writes the embeddings and the layers of an encoder."""

    def embed(self, graph: Graph, inputs: Values) -> str:
        """The hidden state before the first layer [B, L, d], of the inputs [B, L]."""

    def layer(self, graph: Graph, index: int, hidden: str, mask: str) -> str:
        """The hidden state [b, L, d] after layer `index`, counted from 0; `mask` [b, L] is int32, 1 at tokens."""


def in_float32(model: MultiExitModel) -> MultiExitModel:
    """The model, or a copy of one whose weights are elsewhere or in another precision than graphs are written of."""
    if all(one.device.type == "cpu" and one.dtype == torch.float32 for one in model.parameters()):
        return model
    copied = copy.deepcopy(model)
    copied.to(device="cpu", dtype=torch.float32)  # type: ignore[call-arg]  # Transformers types it loosely
    return copied


class ModelWriter:
    """Writes a multi-exit `model` into a graph of its own, in float32 or `int8`, in operators of version `opset`."""

    def __init__(self, model: MultiExitModel, *, int8: bool = False, opset: int = 18) -> None:
        model = in_float32(model)
        self.model, self.task, self.opset = model, model.task, opset
        self.exits = model.exits.folded()
        self.graph = Graph()
        self.inputs = [name for name in INPUTS if name in model.tokenizer.model_input_names]
        self.mask = self._mask()
        fused = model.config.backbone_config.model_type in FAMILIES
        self.backbone: BackboneWriter = (
            FusedBackbone(model.backbone, Int8(input_ranges(model)) if int8 else Float32())
            if fused
            else TracedBackbone(model.backbone, int8=int8, opset=opset)
        )
        family = backbone_for(model.config.backbone_config)
        blocks = [family.block(model.backbone, index) for index in range(self.task.num_layers)]
        self.shares_layers = len(blocks) > 1 and all(block is blocks[0] for block in blocks)

    def early_exit(self, criterion: Criterion) -> onnx.ModelProto:
        """The model that leaves by `criterion`, whose settings are inputs with these as their defaults."""
        with naming("criterion"):
            criterion.check(self.task)
            graph, settings = self.graph, self._settings(criterion)
            kind = writer_for(criterion)
            writer = kind(self.task, kind(self.task, settings).check(graph, criterion))
        state = self._start()
        batch = graph.op("Shape", self.inputs[0], start=0, end=1)  # [1]
        numbers = graph.op("Range", graph.constant(0), graph.op("Squeeze", batch), graph.constant(1))
        state = {**state, "rows": graph.op("Unsqueeze", numbers, graph.constant([1]))}
        types = {**TYPES, **writer.types}
        write = self._loop if self.shares_layers else self._chain
        return self._finish(write(writer, state, batch, types), criterion.name, settings)

    def full_depth(self) -> onnx.ModelProto:
        """The plain model with its last exit alone, to compare with."""
        last = self.task.num_layers
        state = self._layers(self.graph, range(1, last + 1), self._start())
        (scores,) = self._exit(self.graph, last, state)
        return self._finish(self._numbered(self.graph, scores, last), FULL_DEPTH)

    def all_exits(self) -> onnx.ModelProto:
        """The model whose outputs are what every exit says, `scores` [E, B, K], the `doubts` [E, B], the `evidence`."""
        graph, first = self.graph, self.graph.constant([0])
        by_layer: dict[str, list[str]] = {"scores": [], DOUBTS: [], EVIDENCE: []}
        state = self._start()
        for layer in range(self.task.num_layers + 1):
            if layer:
                state = {**state, "hidden": self._layer(graph, layer, state)}
            if layer not in self.task.exit_layers:
                continue
            said = *self._exit(graph, layer, state, EVIDENCE), self._doubts(graph, layer, state)
            for name, value in zip(("scores", EVIDENCE, DOUBTS), said, strict=True):
                by_layer[name].append(graph.op("Unsqueeze", value, first))
        graph.scope = ""
        shapes: dict[str, list[str | int]] = {"scores": ["outputs"], DOUBTS: [], EVIDENCE: [2]}
        outputs = [
            graph.output(graph.op("Concat", *values, axis=0), name, FLOAT, ["exits", "batch", *shapes[name]])
            for name, values in by_layer.items()
        ]
        return make_model(graph, self._token_infos(), outputs, self.opset)

    def _settings(self, criterion: Criterion) -> Values:
        """The criterion's settings as inputs of the graph, with their values in `criterion` as defaults."""
        arrays = setting_arrays(criterion)
        self.graph.initializers += [numpy_helper.from_array(value, name) for name, value in arrays.items()]
        return {name: name for name in arrays}

    def _mask(self) -> str:
        """The mask [B, L] as int32; an error unless it is 1 at the tokens of each row, of which there are some, then 0.

        Exits read the first token as [CLS], and positions count from there: nothing that is padded otherwise has a
        right answer.
        """
        graph, mask = self.graph, "attention_mask"
        inside = graph.op("Clip", mask, graph.constant(0), graph.constant(1))
        zero = graph.check_all(graph.op("Equal", inside, mask), f"{mask} is neither 0 nor 1")
        binary = graph.op("Add", mask, zero)
        tokens = graph.op("Max", graph.op("ReduceSum", binary, graph.constant([1]), keepdims=1), graph.constant(1))
        length = graph.op("Squeeze", graph.op("Shape", mask, start=1, end=2))
        places = graph.op("Range", graph.constant(0), length, graph.constant(1))
        right = graph.op("Equal", graph.op("Cast", graph.op("Less", places, tokens), to=INT64), binary)  # [B, L]
        first = graph.check_all(right, f"{mask} must be 1 at the tokens of each text, then 0: pad at the right")
        return graph.op("Cast", graph.op("Add", binary, first), to=INT32)

    def _start(self) -> Values:
        """The embeddings and the mask of all rows; what is wrong with the ids or their types is an error."""
        graph = self.graph
        graph.scope = ""
        ids, types = self.inputs[0], "token_type_ids"
        flat, one = graph.op("Reshape", ids, graph.constant([-1])), graph.constant([1])
        least, _ = graph.ops(
            "TopK", flat, one, outputs=2, largest=0, name="input_ids is empty: there is no text or no token"
        )
        none = graph.check(graph.constant(0), graph.op("Less", least, graph.constant(0)), "input_ids has a negative id")
        given = {name: name for name in self.inputs} | {ids: graph.op("Add", ids, none)}
        if types in given:
            positive = graph.op("GreaterOrEqual", types, graph.constant(0))
            given[types] = graph.op("Add", types, graph.check_all(positive, f"{types} has a negative type"))
        graph.scope = "embeddings"
        return {"hidden": self.backbone.embed(graph, given), "mask": self.mask}

    def _chain(self, writer: Writer, state: Values, batch: str, types: Mapping[str, int]) -> str:
        """The layers one after the other, those between two exits together; gives the results [B, K + 1]."""
        graph, last, exit_layers = self.graph, self.task.num_layers, self.task.exit_layers
        state, done = self._first_exits(writer, state, batch)
        for before, layer in pairwise((0, *exit_layers)[done:]):
            inside, outside = graph.branch(), graph.branch()
            after = self._step(inside, writer, layer, self._layers(inside, range(before + 1, layer), state))
            wanted = list(state) if layer < last else ["results"]
            values = graph.choose(
                self._any_inside(graph, state),
                (inside, [after[name] for name in wanted]),
                (outside, [state[name] for name in wanted]),
                [types[name] for name in wanted],
            )
            state = dict(zip(wanted, values, strict=True))
        return state["results"]

    def _first_exits(self, writer: Writer, state: Values, batch: str) -> tuple[Values, int]:
        """The exits that all rows pass, and the layers up to them, as the state after these, and how many they are."""
        graph, (first, *others) = self.graph, self.task.exit_layers
        state = self._layers(graph, range(1, first + 1), state)
        if (needed := writer.needs(graph, first)) is not None:
            return self._leave_if(graph, needed, first, {**state, "results": self._no_results(batch)}), 1
        said = self._exit(graph, first, state, writer.criterion.observes)
        state = {**state, "results": self._numbered(graph, said[0], first)}
        after = writer.first(graph, said[0], batch)
        if after is None or not others:
            return self._keep(graph, writer, first, said, {**state, **writer.start(graph, batch)}), 1
        state = self._layers(graph, range(first + 1, others[0]), {**state, **after})
        return self._step(graph, writer, others[0], state), 2

    def _loop(self, writer: Writer, state: Values, batch: str, types: Mapping[str, int]) -> str:
        """One layer, run until no row is inside, with the exit of the number of the round; gives the results."""
        graph, state = self.graph, {**state, "results": self._no_results(batch), **writer.start(self.graph, batch)}
        any_inside = ""  # which is yes
        if 0 in self.task.exit_layers:
            state = self._leave(graph, writer, 0, state)
            any_inside = self._any_inside(graph, state)
        body, names = graph.branch(), list(state)
        number, going = body.parameter("number"), body.parameter("going")
        current = {name: body.parameter(name) for name in names}
        after = self._step(body, writer, body.op("Add", number, graph.constant(1)), current)
        infos = [helper.make_tensor_value_info(number, INT64, []), helper.make_tensor_value_info(going, BOOL, [])]
        infos += [helper.make_tensor_value_info(current[name], types[name], None) for name in names]
        values = [self._any_inside(body, after), *(after[name] for name in names)]
        proto = body.to_branch(values, [BOOL, *(types[name] for name in names)], infos)
        rounds = graph.constant(self.task.num_layers)
        ends = graph.ops("Loop", rounds, any_inside, *(state[name] for name in names), outputs=len(names), body=proto)
        return ends[names.index("results")]

    def _step(self, graph: Graph, writer: Writer, layer: Layer, state: Values) -> Values:
        """One layer, its exit and the criterion, as the state after it."""
        state = {**state, "hidden": self._layer(graph, layer, state)}
        if isinstance(layer, str) and not self.task.all_layers_exit:
            return self._leave_where_there_is_an_exit(graph, writer, layer, state)
        return self._leave(graph, writer, layer, state)

    def _leave_where_there_is_an_exit(self, graph: Graph, writer: Writer, layer: str, state: Values) -> Values:
        """The state after a layer in a loop over all layers, of which some have no exit."""
        with_exit, without = graph.branch(), graph.branch()
        on_it = graph.op("Equal", layer, graph.constant(self.task.above_embeddings))
        some = graph.op("Cast", graph.op("ReduceSum", graph.op("Cast", on_it, to=INT64), keepdims=0), to=BOOL)
        after, types = self._leave(with_exit, writer, layer, state), {**TYPES, **writer.types}
        taken, passed = ([of[name] for name in state] for of in (after, state))
        values = graph.choose(some, (with_exit, taken), (without, passed), [types[name] for name in state])
        return dict(zip(state, values, strict=True))

    def _leave(self, graph: Graph, writer: Writer, layer: Layer, state: Values) -> Values:
        """The state after the exit on a layer and the criterion."""
        if (needed := writer.needs(graph, layer)) is not None:
            return self._leave_if(graph, needed, layer, state)
        said = self._exit(graph, layer, state, writer.criterion.observes)
        state = {**state, "results": self._write_results(graph, layer, said[0], state)}
        return state if layer == self.task.num_layers else self._keep(graph, writer, layer, said, state)

    def _keep(self, graph: Graph, writer: Writer, layer: Layer, said: Sequence[str], state: Values) -> Values:
        """The state without the rows that leave by the criterion, which is told the last of what the exit `said`."""
        observed = self._doubts(graph, layer, state) if writer.criterion.observes == DOUBTS else said[-1]
        stays, after = writer.step(graph, observed, {name: state[name] for name in writer.types})
        inside = {name: state[name] for name in ("hidden", "mask", "rows")} | after
        kept = {name: graph.op("Compress", value, stays, axis=0) for name, value in inside.items()}
        return {**kept, "results": state["results"]}

    def _leave_if(self, graph: Graph, needed: str, layer: Layer, state: Values) -> Values:
        """The state after a layer at which all rows leave if `needed`, and where the exit is not computed if not."""
        leave, stay = graph.branch(), graph.branch()
        (scores,) = self._exit(leave, layer, state)
        results = self._write_results(leave, layer, scores, state)
        no_rows = leave.op("Slice", state["rows"], graph.constant([0]), graph.constant([0]), graph.constant([0]))
        names = ["results", "rows"]
        values = graph.choose(
            needed,
            (leave, [results, no_rows]),
            (stay, [state[name] for name in names]),
            [TYPES[name] for name in names],
        )
        return {**state, **dict(zip(names, values, strict=True))}

    def _no_results(self, batch: str) -> str:
        """Zeros [B, K + 1]."""
        shape = self.graph.op("Concat", batch, self.graph.constant([self.task.num_outputs + 1]), axis=0)
        return self.graph.op("Expand", self.graph.constant(0, np.float32), shape)

    def _write_results(self, graph: Graph, layer: Layer, scores: str, state: Values) -> str:
        """The results with what the exit on a layer says of the rows inside."""
        return graph.op("ScatterND", state["results"], state["rows"], self._numbered(graph, scores, layer))

    def _layers(self, graph: Graph, layers: range, state: Values) -> Values:
        """The state after some layers, whose exits, if there are any, are not asked."""
        for layer in layers:
            state = {**state, "hidden": self._layer(graph, layer, state)}
        return state

    def _layer(self, graph: Graph, layer: Layer, state: Values) -> str:
        """The hidden state [b, L, d] after a layer."""
        graph.scope = f"layer_{layer}" if isinstance(layer, int) else "layer"
        return self.backbone.layer(graph, layer - 1 if isinstance(layer, int) else 0, state["hidden"], state["mask"])

    def _exit(self, graph: Graph, layer: Layer, state: Values, observes: str | None = None) -> list[str]:
        """What the exit on a layer says of the hidden state: scores [b, K] and, if observed, evidence [b, 2]."""
        graph.scope = f"exit_{layer}" if isinstance(layer, int) else "exit"
        if not isinstance(layer, int):
            return self._pick_exit(graph, layer, state, observes, self.task.above_embeddings)
        place = int(exit_places(self.task.exit_layers, layer))
        architecture, exit_ = self.model.config.exits[place], self.exits[place]
        tokens = Tokens(state["mask"], self.mask, state.get("rows"))
        logits, features = write_exit(graph, architecture, exit_, state["hidden"], tokens)
        said = [self.task.problem.onnx_scores(graph, logits)]
        if observes == EVIDENCE:
            said.append(write_evidence(graph, logits, features, self.exits.subspace(place + 1)))
        return said

    def _doubts(self, graph: Graph, layer: Layer, state: Values) -> str:
        """The meta-classifier's doubts [b] about what the exit on a layer says, by the layer's hidden state."""
        if layer == 0:  # the embeddings, of which it knows nothing
            return graph.op("Expand", graph.constant(1, np.float32), graph.op("Shape", state["hidden"], end=1))
        meta = self.model.meta
        weight = graph.once("meta weight", lambda root: root.weight(meta.weight.detach().float().numpy().T, "meta"))
        bias = graph.once("meta bias", lambda root: root.weight(meta.bias.detach().float().numpy(), "meta"))
        cls_state = graph.op("Gather", state["hidden"], graph.constant(0), axis=1)  # [b, d]
        logit = graph.op("Add", graph.op("MatMul", cls_state, weight), bias)  # [b, 1]
        return graph.op("Sigmoid", graph.op("Squeeze", logit, graph.constant([1])))

    def _pick_exit(
        self, graph: Graph, layer: str, state: Values, observes: str | None, among: Sequence[int]
    ) -> list[str]:
        """What one of the exits on some layers says, found by halving."""
        if len(among) == 1:
            return self._exit(graph, among[0], state, observes)
        half = len(among) // 2
        lower, upper = graph.branch(), graph.branch()
        low = self._pick_exit(lower, layer, state, observes, among[:half])
        high = self._pick_exit(upper, layer, state, observes, among[half:])
        is_low = graph.op("Less", layer, graph.constant(among[half]))
        return graph.choose(is_low, (lower, low), (upper, high), [FLOAT] * len(low))

    def _numbered(self, graph: Graph, scores: str, layer: Layer) -> str:
        """The scores [b, K] and behind them the layer's number, [b, K + 1]."""
        number = graph.op("Cast", layer, to=FLOAT) if isinstance(layer, str) else graph.constant(layer, np.float32)
        return graph.op("Pad", scores, graph.constant([0, 0, 0, 1]), number)

    def _any_inside(self, graph: Graph, state: Values) -> str:
        graph.scope = ""
        return graph.op("Cast", graph.op("Size", state["rows"]), to=BOOL)

    def _finish(self, results: str, name: str, settings: Values | None = None) -> onnx.ModelProto:
        """The model of this name whose outputs are the two halves of `results` [B, K + 1]."""
        graph = self.graph
        graph.scope = ""
        outputs = self.task.num_outputs
        scores = graph.op("Slice", results, graph.constant([0]), graph.constant([outputs]), graph.constant([1]))
        layers = graph.op("Cast", graph.op("Gather", results, graph.constant(outputs), axis=1), to=INT64)
        infos = [
            graph.output(scores, "probabilities", FLOAT, ["batch", outputs]),
            graph.output(layers, "exit_layer", INT64, ["batch"]),
        ]
        tensors = {tensor.name: tensor for tensor in graph.initializers}
        inputs = [helper.make_tensor_value_info(name, tensors[name].data_type, []) for name in settings or ()]
        return make_model(graph, [*self._token_infos(), *inputs], infos, self.opset, name)

    def _token_infos(self) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, INT64, ["batch", "length"]) for name in self.inputs]
