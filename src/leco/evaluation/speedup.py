"""The measured speedup (section 3.1.1)."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from leco.criteria import Criterion, Static
from leco.model import ModelStages, MultiExitModel
from leco.progress import progress_bar
from leco.runtime import Encoding
from leco.runtime.engine import decide_batch


@dataclass(frozen=True)
class Speedup:
    """`1 - sum t_i / sum T_i` and the factor `sum T_i / sum t_i`: medians over the repeats, and all repeats."""

    speedup: float
    factor: float
    repeats: list[float]
    texts: int


@torch.inference_mode()
def measure_speedup(
    model: MultiExitModel, encodings: Sequence[Encoding], criterion: Criterion, repeats: int = 10
) -> Speedup:
    """Run each text alone, with early exiting (`t_i`) and at full depth (`T_i`), in turn, `repeats` times over.

    At full depth only the last exit is computed. Which of the two runs first changes from text to text, so that
    the machine's moods touch both alike. Tokenization, which both share, is not in the times.
    """
    model.eval()
    stages, ways = ModelStages(model), (criterion, Static())
    for encoding in encodings[:5]:  # warm up
        for way in ways:
            decide_batch(stages, [encoding], way)
    speedups = []
    with progress_bar("measuring the speedup", repeats * len(encodings)) as advance:
        for repeat in range(repeats):
            seconds = [0.0, 0.0]
            for index, encoding in enumerate(encodings):
                for which in (0, 1) if (repeat + index) % 2 else (1, 0):
                    started = time.perf_counter()
                    decide_batch(stages, [encoding], ways[which])
                    seconds[which] += time.perf_counter() - started
                advance(1)
            speedups.append(1 - seconds[0] / seconds[1])
    median = statistics.median(speedups)
    return Speedup(median, 1 / (1 - median), speedups, len(encodings))
