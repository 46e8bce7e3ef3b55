"""A part of an experiment: what it is made of, and the folder in which its result is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from leco.data import TextData, load_data
from leco.files import read_json, write_json
from leco.model.pretrained import DEMO_BACKBONE
from leco.runs import machine, versions

RESULT, MODEL = "cell.json", "model"


@dataclass(frozen=True)
class Experiment(ABC):
    """A part of an experiment, with a folder of its own.

    `options` are those of `leco.search` and `leco.train` in place of the preset's, as pairs of name and value; `space`
    is the space in which exits are searched.
    """

    task: str
    model: str = DEMO_BACKBONE
    preset: str = "quick"
    options: tuple[tuple[str, Any], ...] = ()
    space: str = "O"

    @property
    def name(self) -> str:
        """The name of its folder, in which whatever it is made of is told apart."""
        options = (name if value is True else f"{name}-{value}" for name, value in sorted(self.options))
        return "_".join(map(plain, (self.task, self.model, self.preset, *options)))

    @property
    def settings(self) -> dict[str, Any]:
        """What defines it, as JSON keeps it; `from_settings` reads it."""
        return {**asdict(self), "options": dict(self.options)}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """The one that `settings` describe."""
        return cls(**{**settings, "options": tuple(settings["options"].items())})

    @property
    def needs(self) -> "Experiment | None":
        """What has to be finished before it."""
        return None

    @property
    def timed(self) -> bool:
        """Whether it measures time, so that nothing may run beside it."""
        return False

    def data(self, glue_dir: Path | None) -> TextData:
        """The texts that it is about; LecoError where they are not to be had."""
        return load_data(self.task, glue_dir=glue_dir, train_rows=dict(self.options).get("train_rows"))

    @abstractmethod
    def run(self, root: Path, glue_dir: Path | None = None, *, keep: bool = False) -> None:
        """Do it, or continue, in its folder under `root`, and write its result last.

        With `keep` the trained model stays in the folder, if it is one that trains. LecoError for anything that the
        user can repair.
        """

    def write(self, root: Path, result: Mapping[str, Any]) -> None:
        """Write its result, with what it is, the versions and the machine."""
        settings = {"kind": type(self).__name__, "settings": self.settings}
        write_json(root / self.name / RESULT, {**settings, **result, "versions": versions(), "machine": machine()})


def finished(experiment: Experiment, root: Path, *, keep: bool = False) -> bool:
    """Whether its result is in its folder under `root`, with `keep` the model too."""
    folder = root / experiment.name
    return (folder / RESULT).is_file() and (not keep or (folder / MODEL / "config.json").is_file())


def read_result(experiment: Experiment, root: Path) -> dict[str, Any]:
    """What `run` wrote; LecoError where it has not been run."""
    return dict(read_json(root / experiment.name / RESULT))


def plain(name: str) -> str:
    """A name as part of a folder's name."""
    return name.rsplit("/", 1)[-1].replace(":", "-").replace("=", "-").replace(",", "-").lower()
