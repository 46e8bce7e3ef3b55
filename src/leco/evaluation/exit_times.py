"""How long each layer and each exit of a model takes, measured."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from leco.data import Encoding
from leco.evaluation.speedup import sample
from leco.model import MultiExitModel
from leco.model.stages import ModelStages
from leco.progress import progress_bar

TEXTS, REPEATS = 20, 6


@dataclass(frozen=True)
class ExitTimes:
    """The seconds of a text in each layer [M], in the exit on each layer that has one, by its number, and in the rest.

    The rest are the embeddings, which each text needs.
    """

    layers: list[float]
    exits: dict[int, float]
    embeddings: float = 0.0


@torch.inference_mode()
def measure_times(model: MultiExitModel, encodings: Sequence[Encoding], observed: str | None = None) -> ExitTimes:
    """Run some of the texts alone, layer by layer and exit by exit, several times.

    The time of an exit has that of what a criterion has `observed` of it (`Criterion.observes`) beside its scores. Of
    each text the fastest run counts, which other work disturbs least; the times are means over the texts.
    """
    model.eval()
    stages, chosen = ModelStages(model), [encodings[place] for place in sample(len(encodings), TEXTS)]
    with progress_bar("timing layers and exits", REPEATS * len(chosen)) as advance:
        rounds = []
        for _ in range(REPEATS):
            rounds.append([_run(stages, encoding, observed) for encoding in chosen])
            advance(len(chosen))
    embeddings, *seconds = np.array(rounds).min(0).mean(0).tolist()  # then the layers', then the exits'
    layers = model.num_layers
    return ExitTimes(seconds[:layers], dict(zip(model.task.exit_layers, seconds[layers:], strict=True)), embeddings)


def _run(stages: ModelStages, encoding: Encoding, observed: str | None) -> list[float]:
    """The seconds of one text in the embeddings and each layer, and behind them in each exit."""
    task, batch = stages.task, None
    layers: list[float] = []
    exits: list[float] = []
    for layer in range(task.num_layers + 1):
        started = time.perf_counter()
        batch = stages.start([encoding]) if batch is None else stages.advance(layer, batch)
        if batch.hidden.is_cuda:
            torch.cuda.synchronize()
        layers.append(time.perf_counter() - started)
        if layer in task.exit_layers:
            started = time.perf_counter()
            stages.scores(layer, batch)
            if observed is not None:
                stages.observe(observed, layer, batch)
            exits.append(time.perf_counter() - started)
    return [*layers, *exits]
