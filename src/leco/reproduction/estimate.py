"""How long cells will take, before any of them has run: from the steps of a short training here."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import TrainerCallback

from leco.pipeline import train
from leco.presets import build_options
from leco.progress import say
from leco.reproduction.experiment import Experiment
from leco.reproduction.searches_and_cells import Cell, Search
from leco.training.strategies import parse_strategy

STEPS, WARM_UP = 8, 2
"""So many steps are timed, after so many that are not."""


class StepTimes(TrainerCallback):
    """The seconds of each step, of a training that ends after `WARM_UP + STEPS` of them."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.started = 0.0

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop it, and after the last step the training."""
        self.seconds.append(time.perf_counter() - self.started)
        control.should_training_stop = len(self.seconds) >= WARM_UP + STEPS


@dataclass(frozen=True)
class TaskCost:
    """What a training on a task costs: its rows, and the seconds of one of them in a step with MHA exits."""

    rows: int
    seconds: float

    @classmethod
    def measure(cls, experiment: Experiment, glue_dir: Path | None) -> "TaskCost":
        """Train for a few steps on a sample, as `experiment` would."""
        options, rows = dict(experiment.options), len(experiment.data(glue_dir).train)
        settings = build_options(experiment.preset, options)
        in_step = min(rows, settings.run.batch_size * settings.training.gradient_accumulation)
        sample = {**options, "train_rows": min(rows, in_step * (WARM_UP + STEPS))}
        times = StepTimes()
        with TemporaryDirectory() as folder:
            train(
                experiment.model,
                experiment.task,
                folder,
                preset=experiment.preset,
                exits="mha",
                glue_dir=glue_dir,
                callbacks=[times],
                **sample,
            )
        return cls(rows, statistics.median(times.seconds[WARM_UP:] or times.seconds) / in_step)


def estimated_hours(experiments: Sequence[Experiment], glue_dir: Path | None) -> float:
    """The hours that cells and searches take here, one after the other with all threads.

    A step of the search costs about as much as one of the training; a phase of a strategy lasts for all epochs. What
    measures speedups is not counted: it says how long it takes when it begins.
    """
    costs: dict[Experiment, TaskCost] = {}
    seconds = 0.0
    for experiment in experiments:
        options = build_options(experiment.preset, dict(experiment.options))
        match experiment:
            case Search():
                epochs = options.search.search_epochs
            case Cell(timed=False):
                layers = 2  # whatever their number, the phases are the same
                epochs = options.training.epochs * len(parse_strategy(experiment.strategy).phases(layers))
            case _:
                continue
        alike = Cell(experiment.task, experiment.model, experiment.preset, experiment.options)
        if alike not in costs:
            say(f"Timing a few steps on {experiment.task}.")
            costs[alike] = TaskCost.measure(alike, glue_dir)
        seconds += costs[alike].rows * costs[alike].seconds * epochs
    return seconds / 3600
