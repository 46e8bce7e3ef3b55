"""Baselines for a model that exits early: what users could take instead, made ready to be timed."""

from dataclasses import dataclass
from pathlib import Path

from leco.bench.measure import PLAIN
from leco.bench.ways import Way
from leco.criteria import Static
from leco.data import source_for
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
        if wanted in ("onnx-fp32", "onnx-int8"):
            return self.plain(int8=wanted == "onnx-int8", name=f"plain {wanted.removeprefix('onnx-')}")
        if wanted.startswith("first:") and wanted.removeprefix("first:").isdigit():
            layers = int(wanted.removeprefix("first:"))
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
        if wanted in ("pytorch", "onnx-fp32", "onnx-int8") or wanted.startswith("first:"):
            raise LecoError(
                f"{parameter('against')} {wanted} is made of a model folder: give that, and '{self.file}' as "
                f"{parameter('onnx')}."
            )
        return another(wanted, self.device)


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
    name = path.name if path.is_dir() else wanted
    return Way(name, PredictorSpec(path, device="cpu" if path.is_file() else device))
