"""Ways to answer texts that are compared: predictors. Each runs in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from leco.criteria import Criterion
from leco.errors import LecoError
from leco.loading import BF16, PredictorSpec
from leco.renamed import warn_of
from leco.runtime import Predictor
from leco.tokens import Encoding, Text

Array = NDArray[Any]


@dataclass(frozen=True)
class Way:
    """What is timed: a `predictor` with a `name`; texts leave by its criterion or, with `full_depth`, at the end.

    A `criterion` takes the place of the predictor's own; an exported file takes other settings of its kind alone.

    >>> Way("early", PredictorSpec("reviews-model/model.onnx")).load(["positive", "negative"]).order
    [1, 0]
    """

    name: str
    predictor: PredictorSpec
    full_depth: bool = False
    criterion: Criterion | None = None

    def __post_init__(self) -> None:
        if isinstance(self.predictor, str):  # as `Way(NAME, KIND, PATH)` was written
            parts = self.predictor.split("-")
            path: Any = self.full_depth
            bf16 = BF16 if BF16 in parts else None
            spec = PredictorSpec(path, device="cpu", precision=bf16, compile="compile" in parts)
            warn_of("leco.bench.Way(NAME, KIND, PATH)", "leco.bench.Way(NAME, PredictorSpec(PATH))", stacklevel=4)
            object.__setattr__(self, "predictor", spec)
            object.__setattr__(self, "full_depth", "full" in parts)

    def load(self, label_names: Sequence[str]) -> "Runner":
        """Load it, for scores in the order of `label_names`; LecoError where that cannot be."""
        try:
            predictor = self.predictor.load()
            order = positions(predictor.label_names, label_names)
        except LecoError as error:
            raise LecoError(f"{self.name}: {error}") from error
        criterion = predictor.full_depth if self.full_depth else self.criterion or predictor.criterion
        return Runner(predictor, criterion, order)


@dataclass(frozen=True)
class Runner:
    """A predictor that is loaded, the criterion by which it decides, and where each wanted label is among its own."""

    predictor: Predictor
    criterion: Criterion
    order: list[int]

    def encode(self, texts: Sequence[Text], on_cut: Callable[[int], None]) -> list[Encoding]:
        """The tokens of each text; `on_cut` is told how many were cut."""
        return self.predictor.encode(texts, on_cut)

    def run(self, encodings: Sequence[Encoding], batch_size: int) -> tuple[Array, Array]:
        """The scores [N, K] of tokenized texts, and the share of the layers that each took [N], from 0 to 1."""
        decisions = self.predictor.decide(encodings, self.criterion, batch_size=batch_size)
        return decisions.scores[:, self.order], decisions.exit_layers / self.predictor.num_layers


def positions(own: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where each wanted label is among a model's own; LecoError where one is not."""
    if set(own) != set(wanted):
        raise LecoError(f"It has the labels {', '.join(own)}, not {', '.join(wanted)} as the model has.")
    return [own.index(name) for name in wanted]
