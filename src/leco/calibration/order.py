"""The settings of a criterion in the order in which they are tested, fixed on other texts than those that certify."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leco.criteria import Criterion, criterion_from_dict
from leco.errors import LecoError
from leco.files import read_json, write_json
from leco.shapes import changed, checked

ORDER = "order.json"
"""Its file in a model's folder."""


@dataclass(frozen=True)
class Step:
    """A `criterion`'s name and settings, and the `mean_exit_layer` of the texts that fixed the order."""

    criterion: dict[str, Any]
    mean_exit_layer: float

    @property
    def exits(self) -> Criterion:
        """The criterion."""
        return criterion_from_dict(self.criterion)


@dataclass(frozen=True)
class Order:
    """The `chains`: for each kind of criterion, by name, its settings from the latest exits to the earliest.

    `source` says on which texts that was found.

    >>> order = Order("dev of rte", {"static": [Step({"name": "static", "layer": 2}, mean_exit_layer=2.0)]})
    >>> order.of(["static", "entropy"]).chains["static"][0].exits
    Static(layer=2)
    """

    source: str
    chains: dict[str, list[Step]]

    def of(self, names: Sequence[str]) -> "Order":
        """The part with these kinds."""
        return Order(self.source, {name: self.chains[name] for name in names if name in self.chains})

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Order":
        """What `save` wrote; LecoError where it is broken."""
        where = f"'{path}'"
        found = checked(cls, read_json(path), where)
        try:
            for step in (step for chain in found.chains.values() for step in chain):
                step.exits  # noqa: B018 - that they can be had
        except LecoError as error:
            raise changed(where, str(error)) from error
        return found
