"""What a report shows: everything that a model's folder has, and what its data adds."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from leco.criteria import Oracle
from leco.data import TextData
from leco.data.given import is_in_memory
from leco.evaluation import (
    EVALUATION,
    Contest,
    Evaluation,
    evaluate,
    read_contest,
    read_evaluation,
    save_evaluation,
)
from leco.evaluation.evaluate import applicable_criteria
from leco.model import MultiExitModel
from leco.model.backbones import backbone_for
from leco.options import fill, taking
from leco.pipeline import CONTEST, HISTORY, RESULTS
from leco.report.examples import Example, first_and_last
from leco.search.history import SearchHistory
from leco.settings import REPORT_TIMING
from leco.training.log import TRAINING, TrainingLog


@dataclass(frozen=True)
class Content:
    """The facts of a report; what there is none of is None or empty, and `missing` says what data would add.

    Attributes:
        name, model, hidden_size: the folder's name, the model, and d.
        parameters: how many the backbone has, and each exit.
        evaluation: scores, speedups and curves.
        history, contest: of the search, and of the criteria on dev.
        minutes: those of the training and of the search.
        preset: the named settings of the training.
        first, last: texts that leave first and last.
        missing: what data would add.

    """

    name: str
    model: MultiExitModel
    hidden_size: int
    parameters: tuple[int, list[int]]
    evaluation: Evaluation | None
    history: SearchHistory | None
    minutes: dict[str, float]
    first: list[Example] = field(default_factory=list)
    last: list[Example] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    contest: Contest | None = None
    preset: str | None = None

    @property
    def source(self) -> str:
        """The data of the evaluation, or else of the training, as a command takes them; DATA where it cannot."""
        trained_on = self.model.trained_on
        known = self.evaluation.data if self.evaluation else trained_on.name if trained_on else "DATA"
        return "DATA" if is_in_memory(known) else known

    @property
    def outdated(self) -> bool:
        """Whether the evaluation is by another criterion than that by which texts leave now."""
        return self.evaluation is not None and not _is_by(self.evaluation, self.model)


@taking(REPORT_TIMING)
def gather(folder: Path, model: MultiExitModel, data: TextData | None = None, **options: Any) -> Content:
    """Read the folder of `model`; with `data`, evaluate what it lacks, leave that in the folder, and find examples.

    An evaluation counts if it has the curves of several criteria, measured where that is wanted (`time_curves`), and is
    of these data, by their name and what is in them, and of the model's own criterion.
    """
    timing = fill(REPORT_TIMING, options, strict=True)
    found = _read_evaluation(folder)
    first: list[Example] = []
    last: list[Example] = []
    if data is not None:
        if not _compares(found, measured=timing.time_curves) or not _is_of(found, model, data):
            found = evaluate(model, data, criteria=applicable_criteria(model), **asdict(timing))
            save_evaluation(found, folder)
        first, last = first_and_last(model, data)
    history = SearchHistory.load(folder / HISTORY) if (folder / HISTORY).is_file() else None
    minutes = {}
    training = TrainingLog.load(folder / TRAINING) if (folder / TRAINING).is_file() else None
    if training is not None:
        minutes["training"] = training.seconds / 60
    if history is not None:
        minutes["search"] = sum(history.seconds) / 60
    config = model.config.backbone_config
    return Content(
        name=folder.resolve().name,
        model=model,
        hidden_size=backbone_for(config).hidden_size(config),
        parameters=(model.backbone.num_parameters(), model.exit_parameters),
        evaluation=found,
        history=history,
        minutes=minutes,
        first=first,
        last=last,
        missing=[] if data is not None else _missing(found, model),
        contest=read_contest(folder / CONTEST) if (folder / CONTEST).is_file() else None,
        preset=None if training is None else training.preset,
    )


def _read_evaluation(folder: Path) -> Evaluation | None:
    """The evaluation with all curves, or else the one that `fit` left; not one without what every exit says."""
    paths = [path for path in (folder / EVALUATION, folder / RESULTS) if path.is_file()]
    return next((found for found in map(read_evaluation, paths) if not found.lacks), None)


def _compares(found: Evaluation | None, *, measured: bool = False) -> TypeGuard[Evaluation]:
    """Whether it has the curves of several criteria, or these with measured speedups."""
    return found is not None and Oracle.name in found.curves and (not measured or found.measured)


def _is_of(found: Evaluation, model: MultiExitModel, data: TextData) -> bool:
    """Whether it is of these texts, as they are now, and of the model's own criterion."""
    return (found.data, found.fingerprint) == (data.name, data.test.fingerprint) and _is_by(found, model)


def _is_by(found: Evaluation, model: MultiExitModel) -> bool:
    """Whether texts leave as they left in it."""
    return found.criterion == model.config.criterion.to_dict()


def _missing(found: Evaluation | None, model: MultiExitModel) -> list[str]:
    """What a folder without its data cannot show."""
    missing = [] if _compares(found) else ["curves of all criteria"]
    if found is None:
        missing = ["scores, speedups and where texts leave"]
    elif not _is_by(found, model):
        missing.insert(0, "scores and speedups by the model's own criterion")
    return [*missing, "texts that leave first and last"]
