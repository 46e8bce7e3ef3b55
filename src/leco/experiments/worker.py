"""The process of one cell: `python -m leco.experiments.worker FOLDER`; the folder's `task.json` says what to do."""

import sys
from pathlib import Path

from leco.errors import LecoError
from leco.experiments.cells import Cell, from_settings, run_cell, run_search
from leco.experiments.runner import TASK
from leco.files import read_json


def main(folder: Path) -> None:
    """Run the cell or the search of `folder`; a user's mistake is one line and exit code 2."""
    task = read_json(folder / TASK)
    work = from_settings(task["kind"], task["settings"])
    glue_dir = Path(task["glue_dir"]) if task["glue_dir"] else None
    try:
        if isinstance(work, Cell):
            run_cell(work, folder.parent, glue_dir, keep=task["keep"])
        else:
            run_search(work, folder.parent, glue_dir)
    except LecoError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
