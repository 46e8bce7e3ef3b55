"""Exits standardized in other ways: by statistics that follow training, with a learned scale for each channel."""

from dataclasses import dataclass

import torch

from leco.exits import base
from leco.exits.standardize import Standardize
from leco.reproduction import Cell


class Following(Standardize):
    """Statistics that follow training: the mean and deviation of the batches so far, newer ones weighing more."""

    def forward(self, hidden):
        """Standardize, and in training count the batch."""
        if self.training:
            with torch.no_grad():
                values = hidden.float().flatten(0, -2)
                self.mean.lerp_(values.mean(0), 0.01)
                self.std.lerp_(values.std(0).clamp_min(1e-6), 0.01)
        return super().forward(hidden)


class Scaled(Standardize):
    """With a learned scale for each channel."""

    def __init__(self, mean, std):
        super().__init__(mean, std)
        self.scale = torch.nn.Parameter(torch.ones_like(std))

    def forward(self, hidden):
        """Standardize and scale."""
        return super().forward(hidden) * self.scale

    @torch.no_grad()
    def fold_into(self, linear):
        """Make it part of a linear map's weights."""
        linear.weight.mul_(self.scale)
        super().fold_into(linear)


VARIANTS = {"following": Following, "scaled": Scaled}


@dataclass(frozen=True)
class VariantCell(Cell):
    """A cell whose exits are standardized in another way."""

    variant: str = "following"

    @property
    def name(self):
        """Its name."""
        return f"{super().name}_{self.variant}"

    def run(self, folder, glue_dir=None):
        """Train with the other kind of statistics."""
        usual, base.Standardize = base.Standardize, VARIANTS[self.variant]
        try:
            return super().run(folder, glue_dir)
        finally:
            base.Standardize = usual
