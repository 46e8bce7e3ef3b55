"""The settings of a search."""

from dataclasses import dataclass

from leco.options import option, validate


@dataclass(frozen=True)
class SearchOptions:
    """How the exits' architectures are searched (sections 3.2 and 6.3)."""

    space: str = option("O", "Search space: O is the paper's; O1, O2 and mha are the ablation's (Table 5).")
    search_epochs: int = option(30, "Passes of the search over the training rows.", minimum=1)
    search_lr: float = option(2e-5, "Learning rate of the backbone during the search.", above=0)
    search_exit_lr: float = option(2e-5, "Learning rate of the supernet's weights.", above=0)
    alpha_lr: float = option(2e-4, "Learning rate of the architecture parameters.", above=0)
    search_weight_decay: float = option(0.01, "AdamW's decay of the weights.", minimum=0)
    alpha_weight_decay: float = option(1e-3, "AdamW's decay of the architecture parameters (DARTS).", minimum=0)
    second_order: bool = option(False, "DARTS' second-order (unrolled) step; about three times as slow.")

    def __post_init__(self) -> None:
        validate(self)
