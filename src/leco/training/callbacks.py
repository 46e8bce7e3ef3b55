"""What happens beside the training steps: the progress bar, and checkpoints that are whole or not there."""

import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from leco.progress import progress_bar, say

COMPLETE = "complete"
"""The file that is written into a checkpoint after everything else in it."""


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


class Checkpoints(TrainerCallback):
    """Marks a checkpoint when it is whole, and then removes the older ones but the best."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Mark the checkpoint just written; of several processes, the one that wrote it does."""
        if not state.is_world_process_zero:
            return
        assert args.output_dir is not None
        folder = Path(args.output_dir)
        current = folder / f"checkpoint-{state.global_step}"
        (current / COMPLETE).touch()
        keep = {current.name, Path(state.best_model_checkpoint or current).name}
        for checkpoint in folder.glob("checkpoint-*"):
            if checkpoint.name not in keep:
                shutil.rmtree(checkpoint)


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint in `folder`, or None; those that a killed run left unfinished are removed."""
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / COMPLETE).exists():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return str(max(whole, key=lambda path: int(path.name.split("-")[1]))) if whole else None


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
