"""CAP: confidence that counts what the classifier does not see as doubt."""

from leco.criteria import Cap
from leco.export.criteria.confident import Confident
from leco.export.graph import Graph


class CapWriter(Confident):
    """The probability of no label below a threshold."""

    criterion = Cap

    def leaves(self, graph: Graph, scores: str) -> str:
        """Compare, by the evidence given as `scores` [b, 2]."""
        known, unseen = (graph.op("Gather", scores, graph.constant(place), axis=1) for place in (0, 1))
        more = graph.op("Sub", graph.op("Mul", unseen, self.settings["alpha"]), known)
        return graph.op("Less", graph.op("Sigmoid", more), self.settings["tau"])
