"""The settings of a search."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from leco.errors import LecoError, parameter
from leco.options import naming, option, validate

if TYPE_CHECKING:
    from leco.exits.space import SearchSpace

EDGES_OF = {
    "activations": ("activation_1", "activation_2"),
    "encoders": ("encoder_1", "encoder_2"),
    "poolers": ("pooler",),
}
"""The options that name operations, each with the edges of a search space that it is about."""


@dataclass(frozen=True)
class SearchOptions:
    """How the exits' architectures are searched (sections 3.2 and 6.3)."""

    space: str = option("O", "Search space: O is the paper's; O1, O2 and mha are the ablation's (Table 5).")
    activations: str | None = option(None, "Only these activations, by comma: relu,gelu,swish,tanh,null.")
    encoders: str | None = option(None, "Only these encoder operations, by comma: conv_3,mha_4,skip-connect,null.")
    poolers: str | None = option(None, "Only these poolers, by comma: cls,max,avg,sa.")
    relaxation: str = option("darts", "How alphas become weights: darts, snas, fair-darts, pc-darts, p-darts.")
    entropy_penalty: float = option(
        0.0, "Weight of the entropy of the candidates' weights in the alphas' loss.", minimum=0
    )
    cost_penalty: float = option(
        0.0, "Weight of an exit's expected cost in the alphas' loss, in costs of the MHA exit.", minimum=0
    )
    cost_table: str | None = option(
        None, "Costs of operations, a file of benchmarks/operation_costs.py; by default the package's."
    )
    search_epochs: int = option(30, "Passes of the search over the training rows.", minimum=1)
    search_warmup: int = option(
        0, "So many of these passes come first and move the weights alone, while the alphas wait.", minimum=0
    )
    search_lr: float = option(2e-5, "Learning rate of the backbone during the search.", above=0)
    search_exit_lr: float = option(2e-5, "Learning rate of the supernet's weights.", above=0)
    alpha_lr: float = option(2e-4, "Learning rate of the architecture parameters.", above=0)
    search_weight_decay: float = option(0.01, "AdamW's decay of the weights.", minimum=0)
    alpha_weight_decay: float = option(1e-3, "AdamW's decay of the architecture parameters (DARTS).", minimum=0)
    second_order: bool = option(False, "DARTS' second-order (unrolled) step; about three times as slow.")

    def __post_init__(self) -> None:
        validate(self)
        if self.search_warmup >= self.search_epochs:
            raise LecoError(
                f"{parameter('search_warmup')} must be less than {parameter('search_epochs')} {self.search_epochs}, "
                f"not {self.search_warmup}: "
                "the alphas would never move."
            )

    def moved(self, epochs: int) -> float:
        """The share, 0 to 1, of the epochs in which the alphas move that is behind a search after so many epochs.

        >>> [SearchOptions(search_epochs=4, search_warmup=2).moved(epochs) for epochs in range(5)]
        [0.0, 0.0, 0.0, 0.5, 1.0]
        """
        return max(0, epochs - self.search_warmup) / (self.search_epochs - self.search_warmup)

    def search_space(self, width: int | None) -> "SearchSpace":
        """The space that these options name, for exits of the given width; None is the space's own.

        LecoError, with the option, for what is no space or names no operations.
        """
        from leco.exits.space import SPACES  # needs PyTorch, which options and --help do not

        with naming("space"):
            space = SPACES[self.space]
        for name, edges in EDGES_OF.items():
            names = getattr(self, name)
            if names is not None:
                operations = tuple(one.strip() for one in names.split(","))
                chosen: dict[str, Any] = dict.fromkeys(edges, operations)
                with naming(name):
                    space = replace(space, **chosen)
        return replace(space, width=width or space.width)
