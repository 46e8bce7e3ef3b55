"""A fixed layer."""

from leco.criteria import Criterion, Static
from leco.export.criteria.base import Layer, Values, Writer
from leco.export.graph import BOOL, INT64, Graph


class StaticWriter(Writer):
    """All leave at one layer."""

    criterion = Static

    def check(self, graph: Graph, criterion: Criterion) -> Values:
        """The layer must have an exit, too."""
        checked, layers = super().check(graph, criterion), self.task.above_embeddings
        if not self.task.all_layers_exit:
            on_none = graph.op("Not", graph.op("Equal", checked["layer"], graph.constant([0, *layers])))
            least = graph.op("ReduceMin", graph.op("Cast", on_none, to=INT64), keepdims=0)
            words = f"layer is none that has an exit: {', '.join(map(str, layers))}"
            checked["layer"] = graph.check(checked["layer"], graph.op("Cast", least, to=BOOL), words)
        return checked

    def needs(self, graph: Graph, layer: Layer) -> str | None:
        """Whether this is the layer."""
        last, given = graph.constant(self.task.num_layers), self.settings["layer"]
        chosen = graph.op("Where", graph.op("Cast", given, to=BOOL), given, last)
        return graph.op("Equal", chosen, graph.constant(layer) if isinstance(layer, int) else layer)

    def largest(self, setting: str) -> int | None:
        """The layer must exist."""
        return self.task.num_layers

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Never asked."""
        raise NotImplementedError("a fixed layer decides without scores")
