"""Search spaces: the operations that a search may choose from on each edge of an exit (section 4, Table 5)."""

from dataclasses import dataclass
from math import prod

from leco.errors import LecoError
from leco.exits.architecture import EDGES
from leco.registry import Registry

_ACTIVATIONS = ("relu", "gelu", "swish", "tanh", "null")
_ENCODERS = ("conv_1", "conv_3", "conv_5", "mha_2", "mha_4", "mha_8", "skip-connect", "null")
_POOLERS = ("cls", "max", "avg", "sa")


@dataclass(frozen=True)
class SearchSpace:
    """The candidate operations of each searched edge, and the `width` d_e of the exits.

    The edges are those of `leco.exits.architecture.Architecture`: `activation_1`, `encoder_1`, `encoder_2`, `pooler`
    and `activation_2`.

    Source: LECO, section 4 and Table 5.

    Raises LecoError for an edge without operations, an operation named twice, an unknown one, and a space in
    which every exit would have two `null` encoders.
    """

    activation_1: tuple[str, ...] = _ACTIVATIONS
    encoder_1: tuple[str, ...] = _ENCODERS
    encoder_2: tuple[str, ...] = _ENCODERS
    pooler: tuple[str, ...] = _POOLERS
    activation_2: tuple[str, ...] = _ACTIVATIONS
    width: int = 32

    def __post_init__(self) -> None:
        for edge, registry in EDGES.items():
            names = tuple(registry.name(name) for name in getattr(self, edge))
            if not names or len(set(names)) != len(names):
                raise LecoError(
                    f"The search space's {edge} must name at least one operation and none twice, not {names}."
                )
            object.__setattr__(self, edge, names)
        if self.encoder_1 == self.encoder_2 == ("null",):
            raise LecoError(
                "Both encoders of the search space allow 'null' alone. Add another operation to one of them."
            )

    def operations(self, edge: str) -> tuple[str, ...]:
        """The candidates of one edge, in the order of its architecture parameters."""
        operations: tuple[str, ...] = getattr(self, edge)
        return operations

    def size(self, num_layers: int, *, encoder_operations: int = 2) -> int:
        """How many multi-exit models the space holds: (product of the edges' candidates) ^ layers.

        The paper's 6.87e+34 = 800^12 counts one encoder operation (`encoder_operations=1`). Its exits have two,
        in order, so that the number is 6400^12 = 4.7e+45.

        >>> f"{SearchSpace().size(12):.1e}", f"{SearchSpace().size(12, encoder_operations=1):.2e}"
        ('4.7e+45', '6.87e+34')
        """
        edges = [edge for edge in EDGES if encoder_operations == 2 or edge != "encoder_2"]
        return prod(len(self.operations(edge)) for edge in edges) ** num_layers


SPACES: Registry[SearchSpace] = Registry(
    "search space",
    {
        "O": SearchSpace(),
        "O1": SearchSpace(activation_1=("tanh",), activation_2=("tanh",)),
        "O2": SearchSpace(activation_1=("tanh",), activation_2=("tanh",), pooler=("cls",)),
        "mha": SearchSpace(("tanh",), ("mha_dot",), ("null",), ("cls",), ("tanh",), width=64),
    },
)
"""The whole space and the ablation's restricted ones (Table 5)."""
