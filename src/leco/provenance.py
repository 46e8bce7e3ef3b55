"""What a model keeps of the data that it was trained on: which they were, and how they are read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from leco.errors import LecoError
from leco.settings import SourceOptions
from leco.shapes import checked

KNOWN = ("glue", "demo")
"""How the names of data sets begin that have splits and columns of their own."""


@dataclass(frozen=True)
class Provenance:
    """The data of a training, as the model's configuration and its exported files keep them.

    Attributes:
        name: the data set's name, as it was given.
        pair: whether each text is a pair.
        metric: the score by which results are compared.
        hashes: the fingerprint of each part (train, dev, test) that there was before missing ones were cut from it.
            None of a data set that is known by its name.
        source: the settings by which it was read, those that were guessed too.
        calibration: how many rows were set aside to certify early answers, of a data set that has no part for that.
        seen: the sketch of the texts that trained the model or chose its settings (`leco.sketches`).

    """

    name: str
    pair: bool
    metric: str
    hashes: dict[str, str]
    source: SourceOptions
    calibration: int = 0
    seen: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it: of the settings those that say something."""
        source = {name: value for name, value in vars(self.source).items() if value is not None}
        if self.source.glue_dir is not None:
            source["glue_dir"] = str(self.source.glue_dir)
        return {**asdict(self), "source": source}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any] | None) -> "Provenance | None":
        """What `to_dict` gave; None of a model that kept nothing. LecoError for anything else."""
        return None if value is None else checked(cls, value, "what the model says of its data")


def check_pair(trained_on: Provenance | None, pair: bool, what: str) -> None:
    """LecoError where `what` has pairs of texts and the model was trained on single ones, or the other way round."""
    if trained_on is not None and trained_on.pair is not pair:
        kinds = {True: "pairs of texts", False: "single texts"}
        raise LecoError(f"{what} {kinds[pair]}, but the model was trained on {kinds[trained_on.pair]}.")
