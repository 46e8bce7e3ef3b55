"""The measured speedup (section 3.1.1)."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray

from leco.criteria import Criterion, Static
from leco.model import ModelStages, MultiExitModel
from leco.progress import progress_bar, say
from leco.runtime import Encoding
from leco.runtime.engine import decide_batch

T = TypeVar("T")
FULL_DEPTH = ("", 0)
WARM_UP = 5
"""So many texts run once without being counted."""


def rotated(items: Sequence[T], by: int) -> list[T]:
    """The items with another one first, so that none always comes first when they are timed in turn.

    >>> rotated("abc", 1), rotated("abc", 3)
    (['b', 'c', 'a'], ['a', 'b', 'c'])
    """
    first = by % len(items)
    return [*items[first:], *items[:first]]


def in_turn(names: Sequence[T], rounds: int) -> Iterator[T]:
    """Each name once in each round; who comes first changes from round to round."""
    for index in range(rounds):
        yield from rotated(names, index)


@dataclass(frozen=True)
class Way:
    """A way for texts to leave: by which setting, with what score on dev, and each of them at which layer [N].

    `leaving` gives the criterion that sends a text out at a layer; `setting` is how that is written.
    """

    setting: dict[str, Any]
    dev_score: float
    exit_layers: NDArray[Any]
    leaving: Callable[[int], Criterion]

    @classmethod
    def by(cls, criterion: Criterion, dev_score: float, exit_layers: NDArray[Any]) -> "Way":
        """The way of a criterion, which is the same for all texts."""
        return cls(criterion.to_dict(), dev_score, exit_layers, lambda layer: criterion)

    def run(self, text: int) -> tuple[str, int]:
        """What text number `text` goes through: the kind of criterion and the layer, whatever the settings."""
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


@torch.inference_mode()
def measure_speedups(
    model: MultiExitModel, encodings: Sequence[Encoding], ways: Sequence[Way], repeats: int = 10
) -> list[Speedup]:
    """Run each text alone, by each of the ways (`t_i`) and at full depth (`T_i`), in turn, `repeats` times over.

    The ways' first texts are those of `encodings`. At full depth only the last exit is computed. Which run comes
    first changes from text to text, so that the machine's moods touch all alike. What takes a text out at one layer
    by one kind of criterion is the same work whatever the settings: it runs once in each repeat and counts for all
    ways that share it. Tokenization, which all share, is not in the times. A line says how long it will take.
    """
    model.eval()
    stages = ModelStages(model)
    runs = [
        {FULL_DEPTH: Static(), **{way.run(text): way.leaving(way.run(text)[1]) for way in ways}}
        for text in range(len(encodings))
    ]

    def seconds_of(text: int, criterion: Criterion) -> float:
        started = time.perf_counter()
        decide_batch(stages, [encodings[text]], criterion)
        return time.perf_counter() - started

    warm = [seconds_of(text, criterion) for text in range(len(runs))[:WARM_UP] for criterion in runs[text].values()]
    total = repeats * sum(map(len, runs))
    seconds = statistics.fmean(warm) * total
    say(f"Measuring {len(ways)} speedups on {len(runs)} texts takes about {_duration(seconds)}.")
    sums = []  # for each repeat the seconds of each way, and last those at full depth
    with progress_bar("measuring speedups", total) as advance:
        for repeat in range(repeats):
            sums.append([0.0] * (len(ways) + 1))
            for text, ordered in enumerate(runs):
                keys = rotated(list(ordered), repeat + text)
                took = {key: seconds_of(text, ordered[key]) for key in keys}
                for index, way in enumerate(ways):
                    sums[-1][index] += took[way.run(text)]
                sums[-1][-1] += took[FULL_DEPTH]
                advance(len(keys))
    *by_way, full_depth = (list(column) for column in zip(*sums, strict=True))
    return [_speedup(early, full_depth, len(runs)) for early in by_way]


def _speedup(early: Sequence[float], full_depth: Sequence[float], texts: int) -> Speedup:
    """From the seconds of all texts in each repeat."""
    speedups = [1 - t / whole for t, whole in zip(early, full_depth, strict=True)]
    median = statistics.median(speedups)
    seconds, full_depth_seconds = (statistics.median(times) / texts for times in (early, full_depth))
    return Speedup(median, 1 / (1 - median), speedups, texts, seconds, full_depth_seconds)


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
