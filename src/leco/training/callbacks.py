"""What happens beside the training steps: the progress bar, and checkpoints that are whole or not there."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from textwrap import shorten
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from leco.errors import LecoError
from leco.files import read_json, write_json
from leco.model.finite import check_finite
from leco.progress import progress_bar, say
from leco.shapes import checked

COMPLETE = "complete"
"""The file that is written into a checkpoint after everything else in it, with the sizes of all files."""


class Bar(TrainerCallback):
    """A progress bar over each epoch, a line with its dev scores after it, and its duration in the trainer's log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stack = ExitStack()

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Open the bar."""
        self.started = time.perf_counter(), time.process_time()
        steps = state.max_steps // int(args.num_train_epochs)
        description = f"{self.name} epoch {int(state.epoch or 0) + 1}/{int(args.num_train_epochs)}"
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
        epoch = f"{round(state.epoch or 0)}/{int(args.num_train_epochs)}"
        say(f"{self.name} epoch {epoch}: dev AVG {metrics['eval_avg']:.4f}, last exit {metrics['eval_last']:.4f}")


SLOWER = "Give a lower --lr and --exit-lr, and another --output."


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
        check_finite(moved, diverged(self.name, state), SLOWER)


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


class Checkpoints(TrainerCallback):
    """Marks a checkpoint when it is whole, and then removes the older ones but the best."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Mark the checkpoint just written; of several processes, the one that wrote it does."""
        if not state.is_world_process_zero:
            return
        assert args.output_dir is not None
        folder = Path(args.output_dir)
        current = folder / f"checkpoint-{state.global_step}"
        mark_complete(current)
        keep = {current.name, Path(state.best_model_checkpoint or current).name}
        for checkpoint in folder.glob("checkpoint-*"):
            if checkpoint.name not in keep:
                shutil.rmtree(checkpoint)


def mark_complete(checkpoint: Path) -> None:
    """Note that everything is in a checkpoint, but for what each of several processes adds for itself."""
    files = [path for path in checkpoint.iterdir() if path.is_file() and not path.name.startswith("rng_state_")]
    write_json(checkpoint / COMPLETE, {path.name: path.stat().st_size for path in sorted(files)})


def check_complete(checkpoint: Path) -> None:
    """Raise LecoError where a checkpoint, or a file of it, is gone or is not as it was written.

    Transformers would go on with the weights of another epoch, or with a fresh optimizer.
    """
    with beginning_again(checkpoint):
        sizes = checked(dict[str, int], read_json(checkpoint / COMPLETE), f"'{checkpoint / COMPLETE}'")
        for name, size in sizes.items():
            if (checkpoint / name).stat().st_size != size:
                raise LecoError(f"'{checkpoint / name}' has been changed.")


@contextmanager
def beginning_again(checkpoint: Path) -> Iterator[None]:
    """A block in which whatever fails does so since `checkpoint` is gone or broken, with what to do about it."""
    try:
        yield
    except Exception as error:
        problem = shorten(str(error).partition("\n")[0], 160).rstrip(":.")
        raise LecoError(
            f"The checkpoint '{checkpoint}' is gone or broken ({problem}). Delete the folder '{checkpoint.parent}' and "
            "repeat the command: it begins this training again."
        ) from error


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`, or None; those that a killed run left unfinished are removed.

    LecoError where it is not any more as it was written.
    """
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / COMPLETE).exists():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    if not whole:
        return None
    last = max(whole, key=_step)
    check_complete(last)
    return last


def _step(checkpoint: Path) -> int:
    with beginning_again(checkpoint):
        return int(checkpoint.name.removeprefix("checkpoint-"))


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
