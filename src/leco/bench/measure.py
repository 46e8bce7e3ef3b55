"""Times ways against one another: each in a process of its own, in turn, round by round, and as ratios."""

import multiprocessing
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from leco.bench.ways import Way
from leco.data import Split, predictions_of, score
from leco.errors import LecoError
from leco.progress import progress_bar

PLAIN, CONTROL = "plain", "plain again"
"""What all others are a ratio to, and the same once more: how far its ratio is from 1 is what ratios may be off."""


@dataclass(frozen=True)
class Row:
    """What was measured of a way at a batch size.

    Attributes:
        way, batch_size: what ran.
        score: the task's, on the whole test split; `layers` the mean share of layers that ran there, from 0 to 1.
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
    split: Split,
    metric: str,
    problem_type: str,
    label_names: Sequence[str],
    *,
    texts: int = 200,
    rounds: int = 5,
    batch_sizes: Sequence[int] = (1, 8, 32),
) -> list[Row]:
    """Score each way on a test split and time it on the first `texts` of it; the first way is the plain model.

    Tokenization is not in the times. A control, the plain model in one more process, is added.
    """
    named = {way.name: way for way in ways} | {CONTROL: Way(CONTROL, ways[0].kind, ways[0].path)}
    names, rows = list(named), []
    with ExitStack() as stack:
        askers = {name: stack.enter_context(_process(way, split, label_names, texts)) for name, way in named.items()}
        quality: dict[str, tuple[float, float]] = {}
        with progress_bar("scoring", len(names)) as advance:
            for name in names:
                scores, layers = _ask(askers[name], ("score",))
                predictions = predictions_of(problem_type, scores)
                quality[name] = score(metric, split.labels, predictions, split.groups), layers
                advance(1)
        with progress_bar("timing", rounds * len(names) * len(batch_sizes)) as advance:
            for batch_size in batch_sizes:
                seconds: dict[str, list[list[float]]] = {name: [] for name in names}
                for index in range(rounds):
                    start = index % len(names)
                    for name in names[start:] + names[:start]:
                        seconds[name].append(_ask(askers[name], ("time", batch_size)))
                        advance(1)
                rows += [_row(name, batch_size, seconds, quality[name], min(texts, len(split))) for name in names]
    return rows


def _row(
    name: str, batch_size: int, seconds: Mapping[str, list[list[float]]], quality: tuple[float, float], texts: int
) -> Row:
    totals = {way: [sum(times) for times in seconds[way]] for way in (name, PLAIN)}
    ratios = [own / plain for own, plain in zip(totals[name], totals[PLAIN], strict=True)]
    median, p90, p99 = (float(np.percentile(np.concatenate(seconds[name]), share)) * 1000 for share in (50, 90, 99))
    return Row(
        name,
        batch_size,
        score=quality[0],
        layers=quality[1],
        median_ms=median,
        p90_ms=p90,
        p99_ms=p99,
        texts_per_second=texts / statistics.median(totals[name]),
        ratio=statistics.median(ratios),
        ratio_low=min(ratios),
        ratio_high=max(ratios),
    )


@contextmanager
def _process(way: Way, split: Split, label_names: Sequence[str], texts: int) -> Iterator[Connection]:
    """A process that has loaded a way, and the connection over which it is asked."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, way, split.texts, list(label_names), texts), daemon=True)
    process.start()
    theirs.close()
    try:
        _ask(ours, ("ready",))
        yield ours
    finally:
        ours.close()
        process.join(timeout=10)
        process.kill()


def _ask(connection: Connection, question: tuple[Any, ...]) -> Any:
    try:
        connection.send(question)
        answer = connection.recv()
    except (EOFError, OSError) as error:
        raise LecoError("A process of the benchmark ended unexpectedly, perhaps for want of memory.") from error
    if isinstance(answer, LecoError):
        raise answer
    return answer


def _serve(connection: Connection, way: Way, texts: list[Any], label_names: list[str], timed: int) -> None:
    """Load a way, then answer questions until the other side closes."""
    try:
        runner = way.load(label_names)
        encodings = runner.encode(texts)
        runner.run(encodings[:8], 1)  # warm up
    except LecoError as error:
        connection.send(error)
        return
    while True:
        try:
            question, *rest = connection.recv()
        except EOFError:
            return
        if question == "ready":
            connection.send(True)
        elif question == "score":
            connection.send(runner.run(encodings, 32))
        else:
            connection.send(_times(runner, encodings[:timed], rest[0]))


def _times(runner: Any, encodings: Sequence[Any], batch_size: int) -> list[float]:
    """The seconds of each batch of texts of similar length."""
    from leco.runtime.engine import batches_by_length

    seconds = []
    order = range(len(encodings)) if batch_size == 1 else batches_by_length(encodings, batch_size)
    for rows in order:
        batch = [encodings[row] for row in np.atleast_1d(rows)]
        started = time.perf_counter()
        runner.run(batch, batch_size)
        seconds.append(time.perf_counter() - started)
    return seconds
