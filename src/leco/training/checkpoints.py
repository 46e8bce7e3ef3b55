"""Checkpoints that are whole or not there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from leco.errors import LecoError, first_line
from leco.files import read_json, write_json
from leco.processes import wait_for_all
from leco.shapes import checked

COMPLETE = "complete"
"""The file that is written into a checkpoint after everything else in it, with the sizes of all files."""


class Checkpoints(TrainerCallback):
    """Marks a checkpoint when it is whole, and then removes the older ones but the best."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Mark the checkpoint just written; of several processes the first does, once all have written their part."""
        wait_for_all()
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
    """Note that everything is in a checkpoint."""
    files = [path for path in checkpoint.iterdir() if path.is_file() and path.name != COMPLETE]
    write_json(checkpoint / COMPLETE, {path.name: path.stat().st_size for path in sorted(files)})


def check_complete(checkpoint: Path) -> None:
    """Raise LecoError where a checkpoint, or a file of it, is gone or is not as it was written.

    Transformers would go on with the weights of another epoch, or with a fresh optimizer.
    """
    with beginning_again(checkpoint):
        sizes = checked(dict[str, int], read_json(checkpoint / COMPLETE), f"'{checkpoint / COMPLETE}'")
        for name, size in sizes.items():
            if (checkpoint / name).stat().st_size != size:
                raise LecoError(f"its '{name}' has been changed")


@contextmanager
def beginning_again(checkpoint: Path) -> Iterator[None]:
    """A block in which whatever fails does so since `checkpoint` is gone or broken, with what to do about it."""
    try:
        yield
    except Exception as error:
        raise LecoError(
            f"The checkpoint '{checkpoint}' is gone or broken ({first_line(error)}). "
            f"Delete the folder '{checkpoint.parent}' and repeat the command: it begins this training again."
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
