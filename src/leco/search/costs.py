"""What the operations of an exit cost in an exported graph, and what a search may expect an exit to cost.

The costs lie in a file that `benchmarks/operation_costs.py` measures; `operation_costs.json` beside this file is the
default. Shapes: M layers, O candidates of an edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from leco.errors import LecoError
from leco.exits.architecture import EDGES, Architecture
from leco.exits.space import SearchSpace
from leco.files import read_json
from leco.options import naming
from leco.search.options import SearchOptions
from leco.shapes import changed, checked

DEFAULT = Path(__file__).with_name("operation_costs.json")
EDGE_COSTS: Mapping[str, str] = {edge: "encoder" if "encoder" in edge else edge for edge in EDGES}
"""The table of each edge: the two encoders, whose outputs are summed, share one."""


@dataclass(frozen=True)
class OperationCosts:
    """Costs by length of the text, each a list over `lengths`. The unit is the MHA exit at that length.

    An exit costs `base` and what its operations add, edge by edge. Exits are in float32 also in an int8 file, so that
    one table serves both; what differs there is `layer`, the cost of a layer of the encoder.

    Attributes:
        machine, measured: where, and on what: hidden size, the exits' width.
        lengths: tokens of a text, rising.
        seconds: of the unit.
        base, operations: the latter by edge and name.
        layer: of the encoder, by precision.

    """

    machine: dict[str, Any]
    measured: dict[str, int]
    lengths: list[int]
    seconds: list[float]
    base: list[float]
    operations: dict[str, dict[str, list[float]]]
    layer: dict[str, list[float]]

    @classmethod
    def load(cls, path: Path) -> "OperationCosts":
        """The costs in a file; LecoError where it is missing, or of another shape."""
        where = f"'{path}'"
        found = checked(cls, read_json(path), where)
        every = [found.seconds, found.base, *found.layer.values()]
        every += [costs for edge in found.operations.values() for costs in edge.values()]
        if not (found.lengths and found.layer) or any(len(costs) != len(found.lengths) for costs in every):
            raise changed(where, "it has not one cost for each length")
        if found.lengths != sorted(set(found.lengths)) or found.operations.keys() != set(EDGE_COSTS.values()):
            raise changed(where, "its lengths do not rise, or its edges are others")
        if found.lengths[0] < 1 or min(found.seconds) <= 0 or min(min(costs) for costs in every) < 0:
            raise changed(where, "a length, a time or a cost is negative, or nothing at all")
        return found

    def knows(self, space: SearchSpace) -> bool:
        """Whether it has all operations of a space."""
        return all({*space.operations(edge)} <= self.operations[EDGE_COSTS[edge]].keys() for edge in EDGES)

    def of(self, edge: str, operation: str, length: float) -> float:
        """What an operation adds on an edge, for texts of so many tokens; LecoError where the table lacks it."""
        known = self.operations[EDGE_COSTS[edge]]
        if operation not in known:
            raise LecoError(
                f"The table of costs has no {edge} '{operation}', only {', '.join(known)}. The script "
                "benchmarks/operation_costs.py measures one that has."
            )
        return self._at(known[operation], length)

    def of_exit(self, architecture: Architecture, length: float) -> float:
        """What an exit costs."""
        return self._at(self.base, length) + sum(self.of(edge, getattr(architecture, edge), length) for edge in EDGES)

    def expected(self, weights: Mapping[str, Tensor], space: SearchSpace, length: float) -> Tensor:
        """The expected cost [M] of each layer's exit, of the weights [M, O] of each edge's candidates in a space.

        `base + sum_edges sum_o p_o cost_o` with `p = w / sum_o' w_o'`; gradients reach the weights.
        """
        total = weights["pooler"].new_full((), self._at(self.base, length))
        for edge in EDGES:
            w = weights[edge]
            costs = w.new_tensor([self.of(edge, name, length) for name in space.operations(edge)])
            total = total + (w * costs).sum(-1) / w.sum(-1)
        return total

    def _at(self, costs: list[float], length: float) -> float:
        """A cost between those at the lengths that were measured, or at the nearest."""
        return float(np.interp(length, self.lengths, costs))


def costs_for(options: SearchOptions, space: SearchSpace) -> OperationCosts | None:
    """The costs by which a search goes, or which it writes down where cost is no matter; None where they are not known.

    LecoError where a table is broken, and where cost matters but the table lacks an operation of the space.
    """
    with naming("cost_table"):
        costs = OperationCosts.load(DEFAULT if options.cost_table is None else Path(options.cost_table))
        if options.cost_penalty:
            for edge in EDGES:
                for operation in space.operations(edge):
                    costs.of(edge, operation, 0)
    return costs if costs.knows(space) else None
