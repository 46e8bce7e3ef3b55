"""An experiment: what it is made of, and the record that it leaves."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

import torch

from leco.data import TextData, load_data
from leco.devices import has_bf16, pick_device
from leco.environment import machine, versions
from leco.errors import LecoError
from leco.model.pretrained import DEMO_BACKBONE
from leco.presets import build_options
from leco.shapes import checked

if TYPE_CHECKING:
    from leco.reproduction.results_folder import ResultsFolder

ABOUT = {"versions": dict[str, Any], "machine": dict[str, Any]}
"""What every record has beside its kind, its settings and its results, and of which type."""


@dataclass(frozen=True)
class Experiment(ABC):
    """What is run once, in a process of its own, and leaves one record, a line of JSON.

    `task` is a name of data, `model` a pretrained encoder, `preset` a named set of settings; `options` are those of
    `leco.pipeline.search` and `leco.train` in place of the preset's, as pairs of name and value; in `space` exits are
    searched.
    """

    task: str
    model: str = DEMO_BACKBONE
    preset: str = "quick"
    options: tuple[tuple[str, Any], ...] = ()
    space: str = "O"

    kinds: ClassVar[dict[str, type["Experiment"]]] = {}
    """All kinds by name, as records have them."""
    results: ClassVar[Mapping[str, Any]] = {}
    """The names of this kind's results in a record, and their types as JSON has them, such as `list[float]`."""

    def __init_subclass__(cls) -> None:
        """List the kind among `kinds`."""
        cls.kinds[cls.__name__] = cls

    @property
    def name(self) -> str:
        """Its name, in which whatever it is made of is told apart."""
        options = (name if value is True else f"{name}-{_shown(value)}" for name, value in sorted(self.options))
        return "_".join(map(plain, (self.task, self.model, self.preset, *options)))

    @property
    def sources(self) -> dict[str, str]:
        """The data, the encoder and what else it takes from elsewhere, of which its name has the last parts alone."""
        data = self.task.lower() if self.task.startswith("glue/") else self.task
        return {"data": data, "model": self.model, **{key: one for key, one in self.options if isinstance(one, str)}}

    @property
    def description(self) -> dict[str, Any]:
        """Its kind and settings, as a record has them; `from_description` reads them."""
        return {"kind": type(self).__name__, "settings": {**asdict(self), "options": dict(self.options)}}

    @classmethod
    def from_description(cls, description: Any) -> "Experiment":
        """The experiment that a record, or `description`, is of; LecoError where it describes none."""
        try:
            settings = {name: _hashable(value) for name, value in description["settings"].items()}
            settings["options"] = tuple((name, _hashable(value)) for name, value in settings["options"].items())
            return cls.kinds[description["kind"]](**settings)
        except (AttributeError, KeyError, TypeError) as error:
            raise LecoError(f"no experiment is described here ({type(error).__name__}: {error}).") from error

    @property
    def device(self) -> str:
        """Where it runs, as the option of that name says."""
        return build_options(self.preset, dict(self.options)).run.device

    def record(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of it: its description, the result, the versions, and the machine, its device and precision."""
        run = build_options(self.preset, dict(self.options)).run
        bf16 = run.bf16 and has_bf16(pick_device(run.device))
        hardware = {"device": device_name(run.device), "precision": "bfloat16" if bf16 else "float32"}
        about = {"versions": versions(), "machine": {**machine(), **hardware}}
        return portable({**self.description, **result, **about})

    def file(self, table: str) -> str:
        """In which file its record belongs, when it runs for a table: the table's."""
        return table

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
    def run(self, folder: "ResultsFolder", glue_dir: Path | None = None) -> dict[str, Any]:
        """Do it, or continue, in its working folder, and give its `results`; LecoError for what the user can repair."""


def check_record(record: Any) -> Experiment:
    """The experiment that a record is of; LecoError where it describes none, or lacks or garbles a result."""
    experiment = Experiment.from_description(record)
    types = get_type_hints(type(experiment))
    for field in fields(experiment):
        if field.name != "options":  # whose values may be of any type
            checked(types[field.name], getattr(experiment, field.name), f"'{field.name}' in the settings of a record")
    for name, kind in {**experiment.results, **ABOUT}.items():
        if name not in record:
            raise LecoError(f"the record of {experiment.name} lacks '{name}'.")
        checked(kind, record[name], f"'{name}' of the record of {experiment.name}")
    return experiment


def check_own(experiment: Experiment, record: Mapping[str, Any], where: Path) -> None:
    """Raise LecoError where a record in the folder `where`, of the experiment's name, is of another one.

    A model's name without a slash may be all that is left of a folder (`portable`): it is any that ends in it.
    """
    recorded = Experiment.from_description(record).sources
    for what, name in experiment.sources.items():
        ours, theirs = PurePath(name), PurePath(recorded.get(what, name))
        if ours != theirs and not (what == "model" and PurePath(ours.name) == theirs):
            raise LecoError(
                f"'{where}' has a record of {experiment.name}, but with the {what} '{theirs}', not '{ours}'. "
                "Give another folder."
            )


def portable(record: dict[str, Any]) -> dict[str, Any]:
    """A record without where a model's folder lay on the machine; the experiment's name is the same."""
    settings = record["settings"]
    model = Path(settings.get("model", DEMO_BACKBONE))
    return {**record, "settings": {**settings, "model": model.name}} if model.is_absolute() else record


def device_name(wanted: str) -> str:
    """What computes, where `wanted` is an option as in `leco.devices.pick_device`: the GPU's name, `mps` or `cpu`."""
    device = pick_device(wanted)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def plain(name: str) -> str:
    """A name as part of an experiment's, which is that of its working folder too."""
    return name.rstrip("/").rsplit("/", 1)[-1].replace(":", "-").replace("=", "-").replace(",", "-").lower()


def _hashable(value: Any) -> Any:
    """A value of JSON as part of a key: a list is a tuple."""
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _shown(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
