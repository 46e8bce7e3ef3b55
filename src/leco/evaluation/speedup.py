"""The measured speedup (section 3.1.1)."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Criterion
from leco.progress import progress_bar, say
from leco.runtime import Encoding, Predictor

T = TypeVar("T")
FULL_DEPTH = ("", 0)
WARM_UP = 5
"""The number of texts that run once before timing starts."""


def sample(rows: int, number: int | None) -> list[int]:
    """The places of so many rows, or of all: drawn, always alike, since a file's first may be of one kind.

    >>> sample(3, None), len(sample(1000, 50)), sample(1000, 50) == sample(1000, 50)
    ([0, 1, 2], 50, True)
    """
    few = rows if number is None else min(number, rows)
    return sorted(np.random.default_rng(0).choice(rows, few, replace=False).tolist())


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items with another one first, so that none always comes first when they are timed in turn.

    >>> rotated("abc", 1), rotated("abc", 3)
    (['b', 'c', 'a'], ['a', 'b', 'c'])
    """
    first = by % len(items)
    return [*items[first:], *items[:first]]


def in_turn(names: Sequence[T], rounds: int) -> Iterator[T]:
    """Each name once in each round; which comes first changes from round to round."""
    for index in range(rounds):
        yield from rotated(names, index)


@dataclass(frozen=True)
class OperatingPoint:
    """A criterion at one setting: its score on dev, and the layer [N] at which each text of test leaves.

    `setting` is what is shown of it. `criterion_at(layer)` is the criterion by which a text really leaves there.
    """

    setting: dict[str, Any]
    dev_score: float
    exit_layers: NDArray[Any]
    criterion_at: Callable[[int], Criterion]

    @classmethod
    def by(cls, criterion: Criterion, dev_score: float, exit_layers: NDArray[Any]) -> "OperatingPoint":
        """The operating point of a criterion that is the same for all texts."""
        return cls(criterion.to_dict(), dev_score, exit_layers, lambda layer: criterion)

    def computation(self, text: int) -> tuple[str, int]:
        """What text number `text` costs: the kind of criterion and the exit layer, whatever the settings."""
        return self.setting["name"], int(self.exit_layers[text])


@dataclass(frozen=True)
class Speedup:
    """`1 - sum t_i / sum T_i` and the factor `sum T_i / sum t_i`: medians over the repeats, and all repeats.

    `seconds` and `full_depth_seconds` are the mean time of a text, medians over the repeats.
    """

    speedup: float
    factor: float
    repeats: list[float]
    texts: int
    seconds: float
    full_depth_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """What `Evaluation` has of it, by its names there."""
        return {
            "speedup": self.speedup,
            "speedup_factor": self.factor,
            "speedup_repeats": self.repeats,
            "timed_texts": self.texts,
            "seconds": self.seconds,
            "full_depth_seconds": self.full_depth_seconds,
        }


def measure_speedups(
    predictor: Predictor,
    encodings: Sequence[Encoding],
    points: Sequence[OperatingPoint],
    repeats: int = 10,
    timed: int | None = None,
) -> list[Speedup]:
    """Run each text alone, at each operating point (`t_i`) and at full depth (`T_i`), in turn, `repeats` times over.

    The points' texts are those of `encodings`, of which so many are `timed` (`sample`), by default all. Full depth is
    the predictor's own (`full_depth`). Which run comes first changes from text to text, so that drifts of the machine's
    speed touch all alike. Texts that leave at the same layer by the same kind of criterion cost the same whatever its
    settings: such a run is timed once in each repeat and counts for all points that share it. Tokenization is not in
    the times. A line says how long it will take.
    """
    runs = {
        text: {
            FULL_DEPTH: predictor.full_depth,
            **{one.computation(text): one.criterion_at(one.computation(text)[1]) for one in points},
        }
        for text in sample(len(encodings), timed)
    }

    def seconds_of(text: int, criterion: Criterion) -> float:
        started = time.perf_counter()
        predictor.decide([encodings[text]], criterion)
        return time.perf_counter() - started

    warm = [seconds_of(text, criterion) for text in list(runs)[:WARM_UP] for criterion in runs[text].values()]
    total = repeats * sum(map(len, runs.values()))
    seconds = statistics.fmean(warm) * total
    say(f"Measuring {len(points)} speedups on {len(runs)} texts takes about {_duration(seconds)}.")
    sums = []  # for each repeat the seconds at each point, and last those at full depth
    with progress_bar("measuring speedups", total) as advance:
        for repeat in range(repeats):
            sums.append([0.0] * (len(points) + 1))
            for text, ordered in runs.items():
                keys = rotated(list(ordered), repeat + text)
                took = {key: seconds_of(text, ordered[key]) for key in keys}
                for index, point in enumerate(points):
                    sums[-1][index] += took[point.computation(text)]
                sums[-1][-1] += took[FULL_DEPTH]
                advance(len(keys))
    *by_point, full_depth = (list(column) for column in zip(*sums, strict=True))
    return [_speedup(early, full_depth, len(runs)) for early in by_point]


def _speedup(early: Sequence[float], full_depth: Sequence[float], texts: int) -> Speedup:
    """From the seconds of all texts in each repeat."""
    speedups = [1 - t / whole for t, whole in zip(early, full_depth, strict=True)]
    median = statistics.median(speedups)
    seconds, full_depth_seconds = (statistics.median(times) / texts for times in (early, full_depth))
    return Speedup(median, 1 / (1 - median), speedups, texts, seconds, full_depth_seconds)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
