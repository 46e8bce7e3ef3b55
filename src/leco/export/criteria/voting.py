"""Voting over the exits so far."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from leco.criteria import Voting
from leco.export.criteria.base import Values, Writer
from leco.export.graph import DOUBLE, FLOAT, INT64, Graph


class VotingWriter(Writer):
    """Votes for one label, divided by a power of the number of exits."""

    criterion = Voting
    types: ClassVar[Mapping[str, int]] = {"votes": INT64}

    def start(self, graph: Graph, rows: str) -> Values:
        """No votes."""
        shape = graph.op("Concat", rows, graph.constant([self.task.num_outputs]), axis=0)
        return {"votes": graph.op("Expand", graph.constant(0), shape)}

    def step(self, graph: Graph, scores: str, state: Values) -> tuple[str, Values]:
        """Count one more vote, and compare with the threshold, in the precision in which thresholds are given."""
        label = graph.op("ArgMax", scores, axis=1, keepdims=1)  # [b, 1]
        vote = graph.op("Equal", label, graph.constant(np.arange(self.task.num_outputs)))
        votes = graph.op("Add", state["votes"], graph.op("Cast", vote, to=INT64))
        most, exits = (
            graph.op("Cast", graph.op(kind, votes, graph.constant([1]), keepdims=0), to=DOUBLE)
            for kind in ("ReduceMax", "ReduceSum")  # as many votes as exits
        )
        share = graph.op("Div", most, graph.op("Pow", exits, graph.op("Cast", self.settings["rho"], to=DOUBLE)))
        return graph.op("Less", graph.op("Cast", share, to=FLOAT), self.settings["tau"]), {"votes": votes}
