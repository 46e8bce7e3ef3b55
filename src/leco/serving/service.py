"""The service behind the routes: texts in, answers out, by the model that is loaded now."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from leco.calibration import RULES, Certificate, MonitorOptions, Watch
from leco.criteria import CRITERIA, Criterion, Task, as_criterion, check_deployable, simulate
from leco.errors import LecoError
from leco.loading import PredictorSpec
from leco.options import settings_of
from leco.runtime import Decisions, GivesAllExits, Predictor, Watched, answers, encoded, unwatched, watched
from leco.runtime.texts import checked, checked_kind
from leco.serving.engine import Engine
from leco.serving.metrics import Metrics
from leco.serving.options import ServingOptions
from leco.serving.schemas import Info, Layer, PredictAnswer, PredictRequest, Setting, TextAnswer
from leco.serving.waiting import Decided, DrainingError
from leco.tokens import Encoding, Text

WARM_UP = ("a short text", "a text that is somewhat longer than the one before, so that both have been run once")
MOST_LAYERS = 64
"""Texts of a request that asks what every exit says."""


class RefusedError(LecoError):
    """What the model that is served does not allow."""


class TooManyError(LecoError):
    """More than the limits allow."""


@dataclass
class Timing:
    """The seconds of a request: in all, tokenizing, waiting and computing (those of the slowest text), and its size.

    Where its texts are answered piece by piece, these add up.
    """

    began: float = field(default_factory=time.perf_counter)
    tokenizing: float = 0.0
    waiting: float = 0.0
    computing: float = 0.0
    texts: int = 0
    characters: int = 0
    tokens: int = 0

    @property
    def whole(self) -> float:
        """The seconds since it began."""
        return time.perf_counter() - self.began

    def tokenized(self, texts: Sequence[Text], encodings: Sequence[Encoding], seconds: float) -> None:
        """Add texts that were tokenized."""
        self.tokenizing += seconds
        self.texts += len(texts)
        self.characters += sum(map(characters, texts))
        self.tokens += sum(len(one["input_ids"]) for one in encodings)

    def decided(self, texts: "Sequence[Decided]") -> None:
        """Add texts that were answered together."""
        self.waiting += max((one.waited for one in texts), default=0.0)
        self.computing += max((one.ran for one in texts), default=0.0)


def characters(text: Text) -> int:
    """The length of a text, or of both of a pair."""
    return sum(map(len, text)) if isinstance(text, tuple) else len(text)


class Loaded:
    """A model that answers, and what it says of itself, read once: a model reads its configuration each time."""

    def __init__(self, predictor: Predictor, engine: Engine) -> None:
        self.predictor, self.engine = predictor, engine
        self.task, self.labels, self.trained_on = predictor.task, predictor.label_names, predictor.trained_on
        self.criterion, self.full_depth = predictor.criterion, predictor.full_depth
        self.certificate, self.precision = predictor.certificate, predictor.precision

    @property
    def fell_back(self) -> bool:
        """Whether the monitor has all texts run at full depth."""
        return isinstance(self.predictor, Watched) and self.predictor.fell_back

    @property
    def watch(self) -> Watch | None:
        """What the monitor has seen, where there is one."""
        return self.predictor.watch if isinstance(self.predictor, Watched) else None

    @property
    def alarm(self) -> str | None:
        """What the monitor says once it found its promise contradicted."""
        return None if self.watch is None or self.watch.alarm is None else self.watch.sentence()

    def used(self, criterion: Criterion) -> Criterion:
        """By what texts leave for which this criterion is asked."""
        return self.full_depth if self.fell_back else criterion

    def promise(self, criterion: Criterion) -> Certificate | None:
        """The certificate, where it holds for answers by this criterion."""
        return None if self.doubt(criterion) else self.certificate

    def doubt(self, criterion: Criterion) -> str:
        """Why nothing is promised of answers by this criterion, in a sentence; empty where the certificate holds."""
        held = self.certificate
        if held is None:
            return "Nothing is certified of this model. Run 'leco calibrate'."
        if not RULES[held.method].promise:
            return (
                f"The certificate promises nothing: its method is '{held.method}'. Run 'leco calibrate' with another."
            )
        return held.doubt(criterion, self.precision) or self._contradiction(held, criterion)

    def _contradiction(self, held: Certificate, criterion: Criterion) -> str:
        """What the monitor says, where it has seen more disagreement than a certificate promises of this criterion."""
        if self.watch is None or self.watch.alarm is None or criterion != self.criterion:
            return ""
        return self.watch.sentence() if self.watch.lowest >= held.disagreement else ""


class Service:
    """Loads a model, answers with it, and replaces it while requests go on.

    Args:
        spec: what loads it.
        options: batches and limits.
        monitoring: how its answers are watched.
        metrics: what is counted.

    Raises:
        LecoError: where it cannot be loaded.

    """

    def __init__(
        self, spec: PredictorSpec, options: ServingOptions, monitoring: MonitorOptions, metrics: Metrics
    ) -> None:
        self.spec, self.options, self.monitoring, self.metrics = spec, options, monitoring, metrics
        self.stopping = False
        self._tokenizing = ThreadPoolExecutor(2, "leco-tokenizer")
        self._aside = ThreadPoolExecutor(1, "leco-aside")  # what is done one at a time: layers, loading
        self.loaded = self._load()
        metrics.watch(lambda: self.loaded)

    @property
    def ready(self) -> bool:
        """Whether requests are to be sent here."""
        return not self.stopping and self.healthy

    @property
    def healthy(self) -> bool:
        """Whether what is taken is answered; after a request to stop, until all is."""
        return self.stopping or self.loaded.engine.alive

    async def predict(self, request: PredictRequest, timing: Timing) -> PredictAnswer:
        """The answers to the texts of a request; LecoError where they cannot be had."""
        texts = request.sequences()
        self._check(texts)
        loop = asyncio.get_running_loop()
        while True:
            loaded = self.loaded
            chosen = self._criterion(request, loaded)
            began = time.perf_counter()
            encodings, cut = await loop.run_in_executor(self._tokenizing, encoded, loaded.predictor, texts)
            timing.tokenized(texts, encodings, time.perf_counter() - began)
            try:
                futures = loaded.engine.submit(encodings, chosen)
                break
            except DrainingError:  # another model has taken over meanwhile, or it all ends
                if loaded is self.loaded:
                    raise
        try:
            decided = await asyncio.gather(*map(asyncio.wrap_future, futures))
        finally:
            for future in futures:
                future.cancel()  # those that nobody waits for any more
        timing.decided(decided)
        found = text_answers(loaded, decided, cut, all_scores=request.scores == "all")
        if request.layers:
            await loop.run_in_executor(self._aside, add_layers, unwatched(loaded.predictor), encodings, found)
        self.metrics.answered(found)
        used = loaded.used(chosen)
        return PredictAnswer(answers=found, model=self.name, criterion=str(used), certificate=sentence(loaded, used))

    async def reload(self) -> None:
        """Load the model anew beside the one that answers, and let it take over; LecoError where that fails."""
        loop = asyncio.get_running_loop()
        new = await loop.run_in_executor(self._aside, self._load)
        old, self.loaded = self.loaded, new
        await loop.run_in_executor(self._aside, old.engine.drain)

    async def drain(self) -> None:
        """Take nothing any more, and wait for what was taken."""
        self.stopping = True
        await asyncio.get_running_loop().run_in_executor(self._aside, self.loaded.engine.drain)

    def info(self) -> Info:
        """What is served."""
        loaded, options = self.loaded, self.options
        predictor = loaded.predictor
        limits = ("max_texts", "max_characters", "max_body", "max_batch_tokens", "max_queue_tokens", "max_concurrent")
        held = predictor.certificate
        return Info(
            model=self.name,
            runtime=predictor.runtime,
            precision=predictor.precision,
            labels=predictor.label_names,
            problem_type=predictor.task.problem_type,
            num_layers=predictor.num_layers,
            exit_layers=list(predictor.task.exit_layers),
            max_length=predictor.max_length,
            pairs=_takes_pairs(predictor),
            text_columns=None if predictor.text_columns is None else list(predictor.text_columns),
            gives_layers=isinstance(unwatched(predictor), GivesAllExits),
            criterion=str(predictor.criterion),
            settings=numbers(predictor.criterion, predictor.task),
            certificate=None if held is None else {**held.to_dict(), "sentence": held.sentence()},
            promise=sentence(loaded, loaded.used(loaded.criterion)),
            alarm=loaded.alarm,
            limits={name: getattr(options, name) for name in (*limits, "timeout")},
            versions=dict(_versions()),
        )

    @property
    def name(self) -> str:
        """The last part of the path."""
        return str(self.spec.path).rstrip("/").rpartition("/")[2]

    def _load(self) -> Loaded:
        predictor = watched(self.spec.load(), self.monitoring, on_alarm=self.metrics.alarm)
        inner = unwatched(predictor)
        texts: list[Text] = [(text, text) if _takes_pairs(inner) else text for text in WARM_UP]
        inner.decide(inner.encode(texts), batch_size=len(texts))
        return Loaded(predictor, Engine(predictor, self.options, self.metrics.batch))

    def _check(self, texts: Sequence[Text]) -> None:
        """LecoError for texts that are none, too many, too long, or of another kind than the model's."""
        if len(texts) > self.options.max_texts:
            raise TooManyError(f"The request has {len(texts)} texts, but at most {self.options.max_texts} are allowed.")
        longest = max(map(characters, texts), default=0)
        if longest > self.options.max_characters:
            raise TooManyError(
                f"A text has {longest} characters, but at most {self.options.max_characters} are allowed."
            )
        list(checked_kind(checked(texts), self.loaded.trained_on))

    def _criterion(self, request: PredictRequest, loaded: Loaded) -> Criterion:
        """When the texts of a request leave."""
        if request.full_depth or (request.max_drop is not None and loaded.fell_back):  # which costs nothing
            return loaded.full_depth
        if request.max_drop is not None:
            held = loaded.promise(loaded.criterion)
            if held is None:
                doubt = loaded.doubt(loaded.criterion)
                raise RefusedError(f"'max_drop': {doubt[0].lower()}{doubt[1:]}")
            if request.max_drop < held.bound:
                raise RefusedError(f"'max_drop' must be at least {held.bound:g}. {held.sentence()}")
        elif request.criterion is not None:
            check_deployable(request.criterion.partition(":")[0])
        chosen = as_criterion(request.criterion, loaded.criterion)
        chosen.check(loaded.task)
        if not isinstance(unwatched(loaded.predictor), GivesAllExits) and type(chosen) is not type(loaded.criterion):
            raise RefusedError(f"'criterion': the file leaves by '{loaded.criterion.name}' alone.")
        return chosen


def sentence(loaded: Loaded, criterion: Criterion) -> str | None:
    """What is promised of answers by this criterion."""
    promise = loaded.promise(criterion)
    return None if promise is None else promise.sentence()


def text_answers(
    loaded: Loaded, decided: Sequence[Decided], cut: Sequence[bool], *, all_scores: bool
) -> list[TextAnswer]:
    """What clients get."""
    if not decided:
        return []
    decisions = Decisions(np.stack([one.scores for one in decided]), np.array([one.exit_layer for one in decided]))
    return [
        TextAnswer(
            label=list(one.label) if isinstance(one.label, tuple) else one.label,
            score=one.scores[one.label] if isinstance(one.label, str) else None,
            scores=one.scores if all_scores else None,
            exit_layer=one.exit_layer,
            num_layers=loaded.task.num_layers,
            truncated=truncated,
        )
        for one, truncated in zip(answers(decisions, loaded.labels, loaded.task.problem_type), cut, strict=True)
    ]


def add_layers(predictor: Predictor, encodings: Sequence[Encoding], found: Sequence[TextAnswer]) -> None:
    """Add what the exit on each layer says, and where all criteria would leave by their usual settings."""
    if not isinstance(predictor, GivesAllExits):
        raise RefusedError(
            "'layers': what every exit says cannot be had of an exported file. Serve the model's folder."
        )
    if len(encodings) > MOST_LAYERS:
        raise RefusedError(f"'layers': the request has {len(encodings)} texts, but at most {MOST_LAYERS} are allowed.")
    task = predictor.task
    scores, observed = predictor.exit_outputs(encodings)
    kinds = [kind for kind in CRITERIA.values() if kind.deployable and task.problem_type in kind.problem_types]
    leaves = {str(one): simulate(one, scores, task, observed) for one in (kind() for kind in kinds)}
    for place, answer in enumerate(found):
        answer.layers = [
            Layer(layer=layer, scores=dict(zip(predictor.label_names, values[place].tolist(), strict=True)))
            for layer, values in zip(task.exit_layers, scores, strict=True)
        ]
        answer.criteria = {name: int(layers[place]) for name, layers in leaves.items()}


def numbers(criterion: Criterion, task: Task) -> dict[str, Setting]:
    """The settings of a criterion that are numbers, and between what they can be moved.

    Whole numbers are of layers or exits: those above the last layer's say no more than it, or nothing.
    """
    found = {}
    for name, (one, hint) in settings_of(criterion).items():
        if hint in (int, float):
            value, least, most = float(getattr(criterion, name)), one.metadata["minimum"], one.metadata["maximum"]
            step, usual = (1.0, max(task.num_layers, value)) if hint is int else (None, max(1.0, 4 * value))
            highest = usual if most is None else most
            found[name] = Setting(value=value, minimum=least or 0.0, maximum=highest, step=step)
    return found


def _takes_pairs(predictor: Predictor) -> bool:
    return predictor.text_columns is not None and len(predictor.text_columns) > 1


def _versions() -> Iterator[tuple[str, str]]:
    """The versions of this library and of what it answers with, as far as that is installed."""
    for name in ("leco", "numpy", "torch", "transformers", "onnxruntime"):
        with suppress(PackageNotFoundError):
            yield name, version(name)
