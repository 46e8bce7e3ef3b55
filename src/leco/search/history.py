"""What a search did: the weights of all candidates and the losses, epoch by epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from leco.exits.architecture import EDGES
from leco.exits.space import SearchSpace
from leco.files import read_json, save_figure, write_json
from leco.shapes import changed, checked


@dataclass
class SearchHistory:
    """One entry for the start and one after each epoch.

    Attributes:
        operations: the candidates of each edge.
        weights: for each entry, edge and layer the candidates' weights.
        train_loss, alpha_loss: mean losses of each epoch, on D1 and on D2; None while the alphas wait.
        seconds: the duration of each epoch.
        expected_cost: for each entry the expected cost of an exit, the mean over the layers, in costs of the MHA exit;
            empty where it is not known, and in files of former versions.

    """

    operations: dict[str, list[str]]
    weights: list[dict[str, list[list[float]]]] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    alpha_loss: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    expected_cost: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, space: SearchSpace) -> "SearchHistory":
        """An empty history over the candidates of `space`."""
        return cls({edge: list(space.operations(edge)) for edge in EDGES})

    def record(self, weights: Mapping[str, Tensor], expected_cost: float | None = None) -> None:
        """Add the weights [M, O] of each edge as they are now, and the expected cost of an exit, where it is known."""
        if expected_cost is not None:
            self.expected_cost.append(round(expected_cost, 6))
        self.weights.append(
            {edge: [[round(w, 6) for w in row] for row in value.tolist()] for edge, value in weights.items()}
        )

    def to_dict(self) -> dict[str, Any]:
        """The history as a JSON object."""
        return asdict(self)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: Path) -> "SearchHistory":
        """Read what `save` wrote; LecoError where the file is missing or of another shape."""
        return cls.from_dict(read_json(path), f"'{path}'")

    @classmethod
    def from_dict(cls, value: Any, where: str) -> "SearchHistory":
        """What `to_dict` made, in `where`; LecoError where it is of another shape."""
        history = checked(cls, value, where)
        if not history.fits():
            raise changed(where, "its epochs, layers and candidates do not fit")
        return history

    def fits(self) -> bool:
        """Whether there is an entry for each epoch, and in it a weight for each candidate of each edge and layer."""
        if self.operations.keys() != EDGES.keys() or not self.weights:
            return False
        epochs, layers = len(self.weights) - 1, len(self.weights[0].get("pooler", []))
        return (
            layers > 0
            and len(self.expected_cost) in (0, epochs + 1)
            and all(len(values) == epochs for values in (self.train_loss, self.alpha_loss, self.seconds))
            and all(
                [len(row) for row in entry.get(edge, [])] == [len(names)] * layers
                for entry in self.weights
                for edge, names in self.operations.items()
            )
        )

    def draw(self, path: Path) -> None:
        """Draw the candidates' weights over the epochs: a row for each edge, a column for each layer."""
        from matplotlib.figure import Figure

        num_layers = len(self.weights[0]["pooler"])
        figure = Figure(figsize=(2.1 * num_layers + 1.6, 2.0 * len(EDGES)), layout="constrained")
        axes = figure.subplots(len(EDGES), num_layers, sharex=True, sharey="row", squeeze=False)
        for row, edge in zip(axes, EDGES, strict=True):
            for layer, axis in enumerate(row):
                for index, name in enumerate(self.operations[edge]):
                    axis.plot([entry[edge][layer][index] for entry in self.weights], label=name, linewidth=1.2)
                axis.tick_params(labelsize=7)
                axis.margins(x=0)
                if edge == "activation_1":
                    axis.set_title(f"layer {layer + 1}", fontsize=9)
            row[0].set_ylabel(edge.replace("_", " "), fontsize=9)
            row[-1].legend(fontsize=6, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        axes[0, 0].xaxis.get_major_locator().set_params(integer=True)
        figure.supxlabel("epoch", fontsize=9)
        save_figure(figure, path, dpi=130)
