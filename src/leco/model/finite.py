"""A run ends at its first number that is not finite: nothing that comes after it means anything."""

from collections.abc import Mapping
from math import inf

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from leco.errors import LecoError

LARGEST = 1e19
"""Beyond it a number's square is infinite in float32, and with it what optimizers keep of gradients."""


@torch.no_grad()
def check_finite(values: Mapping[str, Tensor], where: str, remedy: str) -> None:
    """Raise LecoError for the first of the named `values` with an entry that is no number, infinite, or nearly so.

    The error says `where` that was, such as "The search diverged in epoch 1", and ends with the `remedy`.
    """
    if get_total_norm(values.values(), inf) <= LARGEST:  # one pass over all, where all is well
        return
    for name, value in values.items():
        broken = value[~(value.abs() <= LARGEST)]
        if broken.numel():
            raise LecoError(f"{where}: {name} is {broken[0].item():g}. {remedy}")
