"""How long each layer and each exit of a model takes, measured."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from leco.data import Encoding
from leco.model import MultiExitModel
from leco.model.stages import ModelStages
from leco.progress import progress_bar

TEXTS, REPEATS = 20, 5


@dataclass(frozen=True)
class ExitTimes:
    """The seconds of a text in each layer [M], and in the exit on each layer that has one, by its number."""

    layers: list[float]
    exits: dict[int, float]


@torch.inference_mode()
def measure_times(model: MultiExitModel, encodings: Sequence[Encoding]) -> ExitTimes:
    """Run some of the texts alone, layer by layer and exit by exit, several times: the medians over all runs.

    The first round warms up and is not counted.
    """
    model.eval()
    stages, chosen = ModelStages(model), encodings[:TEXTS]
    runs: list[tuple[list[float], dict[int, float]]] = []
    with progress_bar("timing layers and exits", (REPEATS + 1) * len(chosen)) as advance:
        for _ in range(REPEATS + 1):
            for encoding in chosen:
                runs.append(_run(stages, encoding))
                advance(1)
    layers, exits = zip(*runs[len(chosen) :], strict=True)
    return ExitTimes(
        [statistics.median(some) for some in zip(*layers, strict=True)],
        {layer: statistics.median(run[layer] for run in exits) for layer in model.task.exit_layers},
    )


def _run(stages: ModelStages, encoding: Encoding) -> tuple[list[float], dict[int, float]]:
    """The seconds of one text in each layer and in each exit."""
    task, batch = stages.task, stages.start([encoding])
    layers: list[float] = []
    exits: dict[int, float] = {}
    for layer in range(1, task.num_layers + 1):
        started = time.perf_counter()
        batch = stages.advance(layer, batch)
        if batch.hidden.is_cuda:
            torch.cuda.synchronize()
        layers.append(time.perf_counter() - started)
        if layer in task.exit_layers:
            started = time.perf_counter()
            stages.scores(layer, batch)
            exits[layer] = time.perf_counter() - started
    return layers, exits
