"""What happens beside the training steps: the progress bar, and the end of what has diverged or lost its folder."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from math import ceil
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from leco.errors import parameter
from leco.model.finite import check_finite
from leco.progress import progress_bar, say


class Bar(TrainerCallback):
    """A progress bar over each epoch, a line with its dev scores after it, and its duration in the trainer's log."""

    def __init__(self, name: str, done: int = 0) -> None:
        """`done` epochs are counted as past already."""
        self.name, self.done = name, done
        self.stack = ExitStack()

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar."""
        self.started = time.perf_counter(), time.process_time()
        steps = state.max_steps // int(args.num_train_epochs)
        description = f"{self.name} epoch {self._epoch(args, int(state.epoch or 0) + 1)}"
        self.advance = self.stack.enter_context(progress_bar(description, steps))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Advance it."""
        self.advance(1)

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Close it, and note the duration where checkpoints keep it."""
        self.stack.close()
        seconds, cpu_seconds = time.perf_counter() - self.started[0], time.process_time() - self.started[1]
        state.log_history.append({"epoch": state.epoch, "seconds": seconds, "cpu_seconds": cpu_seconds})

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        """Say how the exits do on dev."""
        metrics = given["metrics"]
        epoch = self._epoch(args, round(state.epoch or 0))
        say(f"{self.name} epoch {epoch}: dev AVG {metrics['eval_avg']:.4f}, last exit {metrics['eval_last']:.4f}")

    def _epoch(self, args: TrainingArguments, epoch: int) -> str:
        return f"{self.done + epoch}/{self.done + int(args.num_train_epochs)}"


class EarlyStopping(TrainerCallback):
    """Ends the training after `patience` epochs in which the dev score did not rise.

    It counts them in the trainer's log, which checkpoints hold; Transformers' own counts anew in a run that continues.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Look whether this is the epoch."""
        if self.is_over(args, state):
            control.should_training_stop = True

    def is_over(self, args: TrainingArguments, state: TrainerState) -> bool:
        """Whether the epochs so far are enough."""
        name = f"eval_{args.metric_for_best_model}"
        scores = [entry[name] for entry in state.log_history if name in entry]
        return bool(scores) and len(scores) - 1 - scores.index(max(scores)) >= self.patience


def slower() -> str:
    """What to do about a training that diverges."""
    return f"Give a lower {parameter('lr')} and {parameter('exit_lr')}, and another {parameter('output')}."


def diverged(phase: str, state: TrainerState) -> str:
    """How an error begins about a number that is not finite, after the steps that `state` counts."""
    return f"The {phase} diverged in epoch {max(1, ceil(round(state.epoch or 0, 6)))}, step {state.global_step}"


class FiniteWeights(TrainerCallback):
    """Ends the training at the first weight that is not finite."""

    def __init__(self, name: str) -> None:
        self.name = name

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        """Look at what the step has moved."""
        named = given["model"].named_parameters()
        moved = {f"the weight '{name}'": weight for name, weight in named if weight.requires_grad}
        check_finite(moved, diverged(self.name, state), slower())


class Checking(TrainerCallback):
    """Calls a function after each epoch, just before it is written; its errors end the training."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Call it."""
        self.check()

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Call it."""
        self.check()


def epoch_rows(log_history: list[dict[str, float]]) -> list[dict[str, float]]:
    """The trainer's log as one row for each epoch: training loss, seconds and dev scores."""
    rows: dict[float, dict[str, float]] = {}
    for entry in log_history:
        row = rows.setdefault(round(entry["epoch"], 6), {})
        for name, value in entry.items():
            if name in ("epoch", "loss", "seconds", "cpu_seconds") or name.startswith(
                ("eval_exit_", "eval_avg", "eval_best", "eval_last")
            ):
                row[name.replace("eval_", "dev_")] = value
    return [row for row in rows.values() if "dev_avg" in row]
