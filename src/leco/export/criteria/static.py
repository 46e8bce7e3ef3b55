"""A fixed layer."""

from leco.criteria import Static
from leco.export.criteria.base import Layer, Values, Writer
from leco.export.graph import BOOL, Graph


class StaticWriter(Writer):
    """All leave at one layer."""

    criterion = Static

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
