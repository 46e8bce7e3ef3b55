"""From architecture parameters to architectures: each edge keeps its top operation (section 3.2)."""

from collections.abc import Mapping

from torch import Tensor

from leco.exits.architecture import EDGES, Architecture
from leco.exits.space import SearchSpace


def discretize(weights: Mapping[str, Tensor], space: SearchSpace) -> list[Architecture]:
    """The architecture of each layer, from the weights [M, O] of each edge's candidates.

    Where both encoder edges would keep `null`, the one whose best non-null operation weighs more takes that
    operation instead, since two nulls would make the exit blind.
    """
    num_layers = next(iter(weights.values())).size(0)
    return [_layer({edge: weights[edge][layer] for edge in EDGES}, space) for layer in range(num_layers)]


def _layer(weights: Mapping[str, Tensor], space: SearchSpace) -> Architecture:
    chosen = {edge: space.operations(edge)[int(weights[edge].argmax())] for edge in EDGES}
    if chosen["encoder_1"] == chosen["encoder_2"] == "null":
        candidates = [
            (float(weight), edge, name)
            for edge in ("encoder_1", "encoder_2")
            for name, weight in zip(space.operations(edge), weights[edge], strict=True)
            if name != "null"
        ]
        _, edge, name = max(candidates, key=lambda candidate: candidate[0])
        chosen[edge] = name
    return Architecture(**chosen, width=space.width)
