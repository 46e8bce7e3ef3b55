"""Baselines for a model that exits early: what users could take instead, made ready to be timed."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from leco.bench.measure import CONTROL, PLAIN
from leco.bench.ways import Way
from leco.criteria import Static
from leco.data import source_for
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.export import ModelWriter, export_onnx
from leco.export.files import write_model
from leco.loading import PredictorSpec
from leco.model import MultiExitModel, load_model
from leco.options import setting_names
from leco.pipeline import train
from leco.run_folder import SETTINGS, run_settings
from leco.runtime import Session
from leco.runtime.predictor import FLOAT32
from leco.training.options import RunOptions, TrainingOptions

KINDS = (
    "pytorch, onnx-fp32, onnx-int8, first:K (K layers), the folder of a Transformers classifier, or another "
    "model's folder or ONNX file"
)
RUNTIMES, FIRST = ("pytorch", "onnx-fp32", "onnx-int8"), "first:"
"""How those are named that are made of the model itself."""
ALONE = {"exits": "linear", "strategy": "two-stage:second=false", "criterion": "static:layer=0"}
"""How a plain classifier is trained: its last exit alone, at which all texts leave."""
OTHER = {"layers", "device", "report_to", *ALONE}
AS_TRAINED = [name for group in (RunOptions, TrainingOptions) for name in setting_names(group) if name not in OTHER]
"""The settings of a run that the first layers alone are trained with too, as far as its version had them."""
NEEDED = ("model", "data", "seed", "batch_size", "max_length", "bf16", "train_rows", "epochs", "lr", "exit_lr")
"""What each version wrote of a run."""


@dataclass(frozen=True)
class Contenders:
    """The ways to compare the `model` in `folder` with; `work` keeps what has to be made for them.

    PyTorch runs on `device`; files, on the processor. `glue_dir` has the data that a shorter model is trained on.
    """

    model: MultiExitModel
    folder: Path
    work: Path
    glue_dir: Path | None = None
    device: str = "cpu"

    def early(self, file: Path | None) -> tuple[Way, bool]:
        """The exported model that exits early, made here if there is no file; and whether it is int8."""
        if file is None:
            file = self.work / "model.onnx"
            export_onnx(self.model, file)
        return leaving_early(file)

    def plain(self, *, int8: bool, name: str = PLAIN) -> Way:
        """The model at full depth with its last exit alone, in ONNX Runtime."""
        return self._plain(self.model, name, f"plain-{'int8' if int8 else 'fp32'}.onnx", int8=int8)

    def against(self, wanted: str, *, int8: bool) -> Way:
        """The way that `against` names; LecoError for an unknown one."""
        if wanted == "pytorch":
            return Way("plain in PyTorch", PredictorSpec(self.folder, device=self.device), full_depth=True)
        if wanted in RUNTIMES:
            return self.plain(int8=wanted == "onnx-int8", name=f"plain {wanted.removeprefix('onnx-')}")
        if wanted.startswith(FIRST) and wanted.removeprefix(FIRST).isdigit():
            layers = int(wanted.removeprefix(FIRST))
            model = self.first_layers(layers)
            suffix = "int8" if int8 else "fp32"
            name = f"first {layers} layers" if layers > 1 else "first layer"
            return self._plain(model, name, f"first-{layers}-{suffix}.onnx", int8=int8)
        return another(wanted, self.device)

    def first_layers(self, layers: int) -> MultiExitModel:
        """The pretrained backbone cut to its first layers and fine-tuned with the model's own settings, once.

        LecoError where the model has no more layers than these, or where its folder does not have its settings.
        """
        settings = run_settings(self.folder) or {}
        if not 1 <= layers < self.model.task.num_layers:
            raise LecoError(
                f"{parameter('against')} first:{layers} must name from 1 to {self.model.task.num_layers - 1} layers."
            )
        if missing := [name for name in NEEDED if name not in settings]:
            raise LecoError(
                f"{parameter('against')} first:{layers} needs '{missing[0]}' in '{self.folder / SETTINGS}', "
                "as 'leco fit' writes it."
            )
        trained = self.work.resolve() / f"first-{layers}"
        options = {name: settings[name] for name in AS_TRAINED if name in settings} | ALONE
        source = vars(source_for(self.model.trained_on, {"glue_dir": self.glue_dir}, settings["data"]))
        train(settings["model"], settings["data"], trained, layers=layers, **options, **source)
        return load_model(trained)

    def _plain(self, model: MultiExitModel, name: str, file: str, *, int8: bool) -> Way:
        path = self.work / file
        write_model(ModelWriter(model, int8=int8).full_depth(), path, model, Static(), int8=int8)
        return Way(name, PredictorSpec(path))


@dataclass(frozen=True)
class FileContenders:
    """The ways to compare an exported file with where the model that it was made of is not at hand.

    The plain model is then the file itself, by settings with which no text leaves; its exits are computed. `device` is
    that of model folders among the others.
    """

    file: Path
    device: str = "cpu"

    def early(self, file: Path | None) -> tuple[Way, bool]:
        """The file itself; and whether it is int8. LecoError where another one is named."""
        if file is not None:
            raise LecoError(
                f"{parameter('onnx')} '{file}' goes with a model folder, but '{self.file}' is a file already."
            )
        return leaving_early(self.file)

    def plain(self, *, int8: bool) -> Way:
        """The file by settings with which no text leaves."""
        return Way(PLAIN, PredictorSpec(self.file), full_depth=True)

    def against(self, wanted: str, *, int8: bool) -> Way:
        """The way that `against` names; LecoError for one that is made of a model folder."""
        if is_made(wanted):
            raise LecoError(
                f"{parameter('against')} {wanted} is made of a model folder: give that, and '{self.file}' as "
                f"{parameter('onnx')}."
            )
        return another(wanted, self.device)


def compared(contenders: Contenders | FileContenders, file: Path | None, wanted: Sequence[str]) -> list[Way]:
    """The ways to compare: the plain model, the one that exits early, and those `wanted`, each by a name of its own.

    `file` is the exported model that exits early; None has it made. LecoError where one of those `wanted` is unknown,
    or is there twice.
    """
    for path, number in Counter(map(whole_path, wanted)).items():
        if number > 1:
            raise LecoError(f"{parameter('against')} '{shortened(path.name)}' is given twice. Give it once.")
    early, int8 = contenders.early(file)
    own = [contenders.plain(int8=int8), early]
    return [*own, *told_apart({one: contenders.against(one, int8=int8) for one in wanted}, [way.name for way in own])]


def told_apart(others: Mapping[str, Way], taken: Sequence[str]) -> list[Way]:
    """The ways by what was wanted; folders and files get as much of their paths into their names as tells them apart.

    The names that are `taken`, that of the control, and those of ways that are made of the model, stay what they are.
    """
    names = {one: _names(one, way) for one, way in others.items() if not is_made(one)}
    fixed = [CONTROL, *taken, *(way.name for one, way in others.items() if one not in names)]
    held = Counter([*fixed, *chain.from_iterable(map(set, names.values()))])
    free = {one: next(name for name in some if held[name] == 1) for one, some in names.items()}
    return [replace(way, name=free.get(one, way.name)) for one, way in others.items()]


def _names(wanted: str, way: Way) -> list[str]:
    """What the way of a folder or a file may be called: as it is, or by ever more of its path, at last by all of it."""
    parts = whole_path(wanted).parts
    return [way.name, *(str(Path(*parts[-steps:])) for steps in range(2, len(parts) + 1))]


def is_made(wanted: str) -> bool:
    """Whether it is made of the model itself, and is no path."""
    return wanted in RUNTIMES or wanted.startswith(FIRST)


def whole_path(path: str) -> Path:
    """A path from the root, without steps back, in which links stay."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - which keeps links


def leaving_early(file: Path) -> tuple[Way, bool]:
    """An exported file by its own settings, named with its precision; and whether that is int8."""
    precision = Session(file).precision
    name = "leco" if precision == FLOAT32 else f"leco {precision}"
    return Way(name, PredictorSpec(file)), precision != FLOAT32


def another(wanted: str, device: str) -> Way:
    """The way that answers with another predictor; LecoError where `wanted` is no path of one."""
    if not Path(wanted).exists():
        raise LecoError(f"{parameter('against')} '{wanted}' is neither a folder nor one of: {KINDS}.")
    path = Path(wanted)
    name = whole_path(wanted).name if path.is_dir() else wanted
    return Way(name, PredictorSpec(path, device="cpu" if path.is_file() else device))
