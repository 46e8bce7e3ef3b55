"""F-PABEE: similar distributions, several times in a row."""

import numpy as np

from leco.criteria import FPabee
from leco.criteria.f_pabee import SIMILARITIES
from leco.export.criteria.base import Values
from leco.export.criteria.counting import Comparing
from leco.export.criteria.information import cross_entropy
from leco.export.graph import Graph

WEIGHTS = {
    "kd": (1, 0, 0, 0, 0),
    "rekd": (0, 1, 0, 0, 0),
    "symkd": (1, 1, 0, 0, 0),
    "jskd": (0, 0, 1, 0, 0),
    "jensen-shannon": (0, 0, 1, -0.5, -0.5),
}
"""Each similarity of exits p and q, of which a is the mean, as a sum of H(p, q), H(q, p), H(a), H(p) and H(q)."""


class FPabeeWriter(Comparing):
    """The similarity below a threshold."""

    criterion = FPabee

    def agrees(self, graph: Graph, scores: str, state: Values) -> str:
        """Compare; what rounding puts below 0 is 0, which is below no threshold of 0."""
        problem, first = self.task.problem, graph.constant([0])
        p, q = (problem.onnx_distributions(graph, some) for some in (state["previous"], scores))
        mean = graph.op("Mul", graph.op("Add", p, q), graph.constant(0.5, np.float32))
        p, q, a = (graph.op("Unsqueeze", some, first) for some in (p, q, mean))  # [1, b, K]
        left, right = (graph.op("Concat", *some, axis=0) for some in ((p, q, a, p, q), (q, p, a, p, q)))
        similarity = graph.op("MatMul", self._weights(graph), cross_entropy(graph, left, right))  # [5] and [5, b]
        tau = self.settings["tau"]
        some_are = graph.op("Greater", tau, graph.constant(0, np.float32))
        return graph.op("And", graph.op("Less", similarity, tau), some_are)

    def _weights(self, graph: Graph) -> str:
        table = np.array([WEIGHTS[name] for name in SIMILARITIES], np.float32)

        def pick(root: Graph) -> str:
            return root.op("Gather", root.constant(table, np.float32), self.settings["similarity"])

        return graph.once("similarity", pick)
