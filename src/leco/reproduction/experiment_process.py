"""The process of one experiment, as `task.json` says: `python -m leco.reproduction.experiment_process FOLDER`."""

import os
import sys
import threading
from pathlib import Path

from leco.errors import LecoError
from leco.files import read_json
from leco.reproduction.criterion_curves import Curves
from leco.reproduction.experiment import Experiment
from leco.reproduction.scheduler import TASK
from leco.reproduction.searches_and_cells import Cell, Search

KINDS: dict[str, type[Experiment]] = {kind.__name__: kind for kind in (Search, Cell, Curves)}


def end_with_parent() -> None:
    """End this process as soon as the one that started it, which holds the other end of stdin, is gone.

    Otherwise a killed run would leave it working in a folder in which the next run starts the same again.
    """

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # unbuffered: a lock would be held when Python ends
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(folder: Path) -> None:
    """Run what `folder` is for; a user's mistake is one line and exit code 1."""
    end_with_parent()
    task = read_json(folder / TASK)
    experiment = KINDS[task["kind"]].from_settings(task["settings"])
    glue_dir = Path(task["glue_dir"]) if task["glue_dir"] else None
    try:
        experiment.run(folder.parent, glue_dir, keep=task["keep"])
    except LecoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
