"""The process of one experiment: `python -m leco.reproduction.experiment_process ROOT JOB`, the job as JSON."""

import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from leco.errors import LecoError
from leco.reproduction.experiment import Experiment
from leco.reproduction.results_folder import ResultsFolder


def run(folder: ResultsFolder, job: dict[str, Any]) -> None:
    """Run the experiment that a job of the scheduler describes, unless it is finished; append its record, clear up.

    The `modules` of a job define all kinds of experiments whose records the folder may have.
    """
    for module in job["modules"]:
        importlib.import_module(module)
    experiment = Experiment.from_description(job)
    with folder.lock(experiment):  # where two run the same, the second waits, and then finds it finished
        if experiment in folder and (folder.has_model(experiment) or not job["keep"]):
            return
        result = experiment.run(folder, Path(job["glue_dir"]) if job["glue_dir"] else None)
        folder.append(job["table"], {experiment: experiment.record(result)})
        if not job["keep"]:
            folder.clear(experiment)


def end_with_parent() -> None:
    """End this process as soon as the one that started it, which holds the other end of stdin, is gone.

    Otherwise a killed run would leave it working in a folder in which the next run starts the same again.
    """

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # unbuffered: a lock would be held when Python ends
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    try:
        run(ResultsFolder(Path(sys.argv[1])), json.loads(sys.argv[2]))
    except LecoError as error:
        sys.exit(f"error: {error}")
