"""Measures latency, throughput and score of ways to answer: each in a process of its own, in turn, as ratios."""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from leco.bench.processes import serving
from leco.bench.ways import Runner, Way
from leco.data import TextData, score
from leco.display import shortened
from leco.errors import LecoError
from leco.evaluation.speedup import in_turn, sample
from leco.progress import progress_bar, say
from leco.runtime.engine import batches_by_length
from leco.tokens import Encoding, cut_line

PLAIN, CONTROL = "plain", "plain again"
"""The baseline of all ratios, and the control: the same once more, whose ratio's distance from 1 is the noise."""


@dataclass(frozen=True)
class Row:
    """What was measured of a way at a batch size.

    Attributes:
        way, batch_size: what ran.
        score: the task's, on the whole test split, at that batch size, on which answers may depend ("int8 by batch").
        layers: the mean share of layers that ran, from 0 to 1, on the timed texts.
        median_ms, p90_ms, p99_ms: milliseconds of a text at batch size 1, of a batch of that many texts otherwise.
        texts_per_second: median over the rounds.
        ratio, ratio_low, ratio_high: the time for all texts over that of the plain model in the same round: the median,
            the smallest and the largest over the rounds.

    """

    way: str
    batch_size: int
    score: float
    layers: float
    median_ms: float
    p90_ms: float
    p99_ms: float
    texts_per_second: float
    ratio: float
    ratio_low: float
    ratio_high: float


def bench(
    ways: Sequence[Way],
    data: TextData,
    *,
    texts: int = 200,
    rounds: int = 5,
    batch_sizes: Sequence[int] = (1, 8, 32),
) -> list[Row]:
    """Score each of the `ways` on the test split and time it on `texts` of it; the first is the plain model.

    There is a row for each way and each of the `batch_sizes`, timed in turn in so many `rounds`. LecoError where a way
    cannot be loaded, or bears the name of another one. The labels of `data` are numbered as the model's
    (`leco.evaluation.align_labels`). Tokenization, which each process does once, is not in the times; a line says how
    many texts were cut for the plain model. A control, the plain model in one more process, is added.
    """
    split, label_names = data.test, list(data.output_names)
    ways = [*ways, replace(ways[0], name=CONTROL)]
    names, rows = [way.name for way in ways], []
    if twice := [name for name, number in Counter(names).items() if number > 1]:
        raise LecoError(f"Two of the ways are called '{shortened(twice[0])}'. Give each a name of its own.")
    with ExitStack() as stack:
        ask = {way.name: stack.enter_context(serving(_prepare, way, split.texts, label_names, texts)) for way in ways}
        if line := ask[names[0]]("cut", 1):
            say(line)
        quality: dict[tuple[str, int], tuple[float, float]] = {}
        with progress_bar("scoring", len(names) * len(batch_sizes)) as advance:
            for name, batch_size in product(names, batch_sizes):
                scores, layers = ask[name]("score", batch_size)
                predictions = data.problem.predictions(scores)
                quality[name, batch_size] = score(data.metric, split.labels, predictions, split.groups), layers
                advance(1)
        with progress_bar("timing", rounds * len(names) * len(batch_sizes)) as advance:
            for batch_size in batch_sizes:
                seconds: dict[str, list[list[float]]] = {name: [] for name in names}
                for name in in_turn(names, rounds):
                    seconds[name].append(ask[name]("time", batch_size))
                    advance(1)
                timed = min(texts, len(split))
                rows += [_row(name, batch_size, seconds, quality[name, batch_size], timed) for name in names]
    return rows


def _row(
    name: str, batch_size: int, seconds: Mapping[str, list[list[float]]], quality: tuple[float, float], texts: int
) -> Row:
    totals = [sum(times) for times in seconds[name]]
    first = next(iter(seconds.values()))
    ratios = [own / sum(plain) for own, plain in zip(totals, first, strict=True)]
    median, p90, p99 = (float(np.percentile(np.concatenate(seconds[name]), share)) * 1000 for share in (50, 90, 99))
    return Row(
        name,
        batch_size,
        score=quality[0],
        layers=quality[1],
        median_ms=median,
        p90_ms=p90,
        p99_ms=p99,
        texts_per_second=texts / statistics.median(totals),
        ratio=statistics.median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
    )


def _prepare(way: Way, texts: list[Any], label_names: list[str], timed: int) -> Callable[..., Any]:
    """Load a way; the function gives scores and the timed texts' share of layers ("score"), times ("time"), or a line
    on texts that were cut, if any were ("cut").
    """
    runner = way.load(label_names)
    cut: list[int] = []
    encodings = runner.encode(texts, cut.append)
    places = sample(len(encodings), timed)
    runner.run(encodings[:8], 1)  # warm up

    def answer(question: str, batch_size: int) -> Any:
        if question == "cut":
            return cut_line(sum(cut), len(texts), runner.predictor.max_length) if sum(cut) else ""
        if question == "time":
            return _times(runner, [encodings[place] for place in places], batch_size)
        scores, layers = runner.run(encodings, batch_size)
        return scores, float(layers[places].mean())

    return answer


def _times(runner: Runner, encodings: Sequence[Encoding], batch_size: int) -> list[float]:
    """The seconds of each batch of texts of similar length."""
    seconds = []
    order = range(len(encodings)) if batch_size == 1 else batches_by_length(encodings, batch_size)
    for rows in order:
        batch = [encodings[row] for row in np.atleast_1d(rows)]
        started = time.perf_counter()
        runner.run(batch, batch_size)
        seconds.append(time.perf_counter() - started)
    return seconds
