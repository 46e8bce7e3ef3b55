"""A predictor that is watched while it runs: some of its answers are compared with those of full depth."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from leco.calibration.certificate import Certificate, percent
from leco.calibration.monitoring import Watch
from leco.calibration.options import MonitorOptions
from leco.criteria import Criterion, Task
from leco.errors import LecoError, parameter
from leco.files import read_json, write_json
from leco.folders import writing
from leco.options import fill, setting_names
from leco.provenance import Provenance
from leco.runtime.engine import Decisions
from leco.runtime.predictor import Predictor, PredictorMixin, ignore
from leco.tokens import Encoding, Text

logger = logging.getLogger(__name__)


NOT_KEPT = MonitorOptions()
"""What is seen is in no file."""


class WatchFile:
    """What all processes that answer with a model have seen, in one JSON file.

    Args:
        path: the file, which need not be there; its folder is made if need be.
        start: the promise that is watched, of which nothing has been seen.

    Raises:
        LecoError: where the file is no such file, or of another promise.

    """

    def __init__(self, path: Path, start: Watch) -> None:
        self.path, self.start = path, start
        self.read()

    def read(self) -> Watch:
        """What has been seen by now; LecoError where the file is none of these, or of another promise."""
        if not self.path.exists():
            return self.start
        found = Watch.from_dict(read_json(self.path), f"'{self.path}'")
        try:
            return found + self.start
        except LecoError as error:
            raise LecoError(f"'{self.path}': {error} Give another file.") from error

    def add(self, seen: Watch) -> Watch:
        """Add what this process has seen, whole or not at all; gives what all have."""
        with writing(self.path.parent, "monitor"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.path}.lock"):
                total = self.read() + seen
                write_json(self.path, total.to_dict())
        return total


class Watched(PredictorMixin):
    """A predictor of whose answers a sampled share is compared with full depth, after it has been given.

    Answers by another criterion than its own are not watched. What was sampled runs before the texts that come next, or
    in `check`: it costs `share` of the time at full depth.

    Args:
        predictor: any.
        watch: the promise, or what has been seen of it by now.
        criterion: that of the answers that are watched; by default the predictor's own.
        options: the share of the texts that is checked, the file in which what is seen is added up over processes, and
            whether all texts run at full depth once the promise is contradicted.
        on_alarm: told once, in a sentence, that the promise is contradicted; by default a warning is logged.
        seed: of the sampling; None is another one each time.

    Attributes:
        watch: what has been seen.
        failing: whether the last check that was tried (`try_to_check`) has failed.
        told: whether `on_alarm` has been told.

    """

    def __init__(
        self,
        predictor: Predictor,
        watch: Watch,
        criterion: Criterion | None = None,
        options: MonitorOptions = NOT_KEPT,
        *,
        on_alarm: Callable[[str], None] = logger.warning,
        seed: int | None = None,
    ) -> None:
        self.predictor, self.options, self.on_alarm = predictor, options, on_alarm
        self.file = None if options.monitor is None else WatchFile(Path(options.monitor), watch)
        self._criterion = criterion or predictor.criterion
        self.watch = watch if self.file is None else self.file.read()
        self._random = np.random.default_rng(seed)
        self.failing = self.told = False
        self._forget()

    @property
    def task(self) -> Task:
        """The watched predictor's."""
        return self.predictor.task

    @property
    def label_names(self) -> list[str]:
        """The watched predictor's."""
        return self.predictor.label_names

    @property
    def criterion(self) -> Criterion:
        """That of the answers that are watched."""
        return self._criterion

    @property
    def full_depth(self) -> Criterion:
        """The watched predictor's."""
        return self.predictor.full_depth

    @property
    def max_length(self) -> int:
        """The watched predictor's."""
        return self.predictor.max_length

    @property
    def trained_on(self) -> Provenance | None:
        """The watched predictor's."""
        return self.predictor.trained_on

    @property
    def runtime(self) -> str:
        """The watched predictor's."""
        return self.predictor.runtime

    @property
    def precision(self) -> str:
        """The watched predictor's."""
        return self.predictor.precision

    @property
    def certificate(self) -> Certificate | None:
        """The watched predictor's."""
        return self.predictor.certificate

    @property
    def fell_back(self) -> bool:
        """Whether all texts run at full depth now."""
        return self.options.fall_back and self.watch.alarm is not None

    def encode(self, texts: Sequence[Text], on_cut: Callable[[int], None] = ignore) -> list[Encoding]:
        """As the watched predictor does."""
        return self.predictor.encode(texts, on_cut)

    def decide(
        self,
        encodings: Sequence[Encoding],
        criterion: Criterion | None = None,
        *,
        batch_size: int = 1,
        on_batch: Callable[[int], None] = ignore,
    ) -> Decisions:
        """As the watched predictor does, at full depth where it fell back; what was sampled before is checked first."""
        self.check()
        chosen = criterion or self.criterion
        if self.fell_back:
            return self.predictor.decide(encodings, self.full_depth, batch_size=batch_size, on_batch=on_batch)
        decisions = self.predictor.decide(encodings, chosen, batch_size=batch_size, on_batch=on_batch)
        if chosen == self.criterion:
            self.note(encodings, decisions.scores)
        return decisions

    def note(self, encodings: Sequence[Encoding], scores: np.ndarray[Any, Any]) -> int:
        """Sample answers that were given, texts with their scores [N, K]; gives how many are to be checked."""
        drawn = np.flatnonzero(self._random.random(len(encodings)) < self.options.monitor_share).tolist()
        self._texts += len(encodings)
        self._waiting.append(([encodings[row] for row in drawn], scores[drawn]))
        return len(drawn)

    def check(self, batch_size: int = 1) -> Watch:
        """Run what was sampled at full depth, in batches of `batch_size`, and see what has come of it."""
        encodings = [one for some, _ in self._waiting for one in some]
        if self._texts:
            losses = np.zeros(0)
            if encodings:
                early = np.concatenate([scores for _, scores in self._waiting])
                full = self.predictor.decide(encodings, self.full_depth, batch_size=batch_size)
                losses = self.problem.disagreement(early, full.scores)
            self._add(losses)
        return self.watch

    def try_to_check(self) -> None:
        """As `check`, but where that fails, answers go on: what was sampled is forgotten, and `failing` says so.

        It is logged when it begins to fail, and when it works again.
        """
        if not self._texts:
            return
        try:
            self.check()
        except Exception as error:
            self._forget()
            if not self.failing:
                unexpected = not isinstance(error, LecoError)
                logger.warning("The monitor fails, and answers are not watched: %s", error, exc_info=unexpected)
            self.failing = True
        else:
            if self.failing:
                logger.warning("The monitor works again.")
            self.failing = False

    def _add(self, losses: np.ndarray[Any, Any]) -> None:
        before, nothing = self.watch, Watch(self.watch.bound, self.watch.alpha)
        seen = nothing.seen(self._texts, losses)
        self.watch = before + seen if self.file is None else self.file.add(seen)
        self._forget()
        if self.watch.alarm is not None and before.alarm is None:
            self.told = True
            self.on_alarm(self.watch.sentence())

    def _forget(self) -> None:
        """Have nothing that waits to be checked."""
        self._texts = 0
        self._waiting: list[tuple[list[Encoding], np.ndarray[Any, Any]]] = []


def monitor_options(given: Mapping[str, Any]) -> MonitorOptions:
    """How answers are watched by those of some settings that are `given`, of which others may be of something else.

    LecoError for one that would do nothing, as no file is named in which what is seen is counted.

    >>> monitor_options({"monitor": "watch.json", "fall_back": True, "port": 80}).fall_back
    True
    """
    options = fill(NOT_KEPT, given)
    if options.monitor is None:
        _refuse_idle([name for name in setting_names(options) if given.get(name) not in (None, False)])
    return options


def _refuse_idle(names: Sequence[str]) -> None:
    """LecoError for the first of these settings of a monitor that there is not."""
    if names:
        name, missing = parameter(names[0]), parameter("monitor")
        raise LecoError(f"{name} is for a monitor, and there is none: give {missing}, a file.")


def unwatched(predictor: Predictor) -> Predictor:
    """The predictor itself, where it is `Watched`."""
    return predictor.predictor if isinstance(predictor, Watched) else predictor


def watched(
    predictor: Predictor,
    options: MonitorOptions,
    criterion: Criterion | None = None,
    on_alarm: Callable[[str], None] = logger.warning,
) -> Predictor:
    """The predictor, of which answers by a criterion, by default its own, are watched where `options` name a file.

    `on_alarm` is told in a sentence, once, that the promise is contradicted; by default a warning is logged.

    LecoError where nothing is promised that could be watched, neither by `monitor_bound` nor by its certificate, and
    where `options` say how to watch, but name no file.
    """
    if options.monitor is None:
        _refuse_idle([name for name in setting_names(options) if getattr(options, name) != getattr(NOT_KEPT, name)])
        return predictor
    bound = options.monitor_bound
    if bound is None:
        held = predictor.certificate
        if held is None:
            raise LecoError(
                f"Nothing is promised of this model: run 'leco calibrate', or give {parameter('monitor_bound')}."
            )
        if doubt := held.doubt(criterion or predictor.criterion, predictor.precision):
            raise LecoError(f"{doubt} Calibrate it again, or give {parameter('monitor_bound')}.")
        bound = held.disagreement
        if not 0 < bound < 1:
            raise LecoError(
                f"The certificate allows {percent(bound)} of texts to be answered otherwise than at full depth, which "
                f"nothing can contradict. Give {parameter('monitor_bound')}."
            )
    return Watched(predictor, Watch(bound, options.monitor_alpha), criterion, options, on_alarm=on_alarm)
