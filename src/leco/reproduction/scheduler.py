"""Runs the experiments that are not finished, a few at a time, each in a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from leco.errors import LecoError
from leco.progress import progress_bar, say
from leco.reproduction.experiment import Experiment
from leco.reproduction.results_folder import ResultsFolder

Running = dict[Experiment, subprocess.Popen[bytes]]
PROCESS = "leco.reproduction.experiment_process"
NO_TABLE = "cells"
"""The file of experiments that run for no table."""


def with_needs(experiments: Mapping[Experiment, str]) -> dict[Experiment, str]:
    """The experiments and what they need, each once and after what it needs; those that measure time come last.

    What is needed runs for the table of the first that needs it.
    """
    ordered: dict[Experiment, str] = {}
    for experiment, table in experiments.items():
        chain = [experiment]
        while (needed := chain[0].needs) is not None:
            chain.insert(0, needed)
        for one in chain:
            ordered.setdefault(one, experiments.get(one, table))
    return dict(sorted(ordered.items(), key=lambda item: item[0].timed))


def run_all(
    experiments: Mapping[Experiment, str] | Sequence[Experiment],
    root: Path,
    *,
    glue_dir: Path | None = None,
    jobs: int = 1,
    keep: Sequence[Experiment] = (),
) -> None:
    """Run all experiments that are not finished, and what they need.

    A killed run continues when called again.

    Args:
        experiments: each with the table for which it runs, to whose file its record is appended; or for none.
        root: the folder of results (`ResultsFolder`).
        glue_dir: GLUE's data.
        jobs: how many run at a time, with equal shares of the processor's threads; those that measure time run alone.
        keep: cells whose models stay in their working folders, as do those of which curves are drawn.

    Raises:
        LecoError: once the others are done, where some failed; it names their logs.

    """
    folder = ResultsFolder(root)
    if not isinstance(experiments, Mapping):
        experiments = dict.fromkeys(experiments, NO_TABLE)
    timed = (one.needs for one in experiments if one.timed and one not in folder)
    keep = [*keep, *(needed for needed in timed if needed)]

    def done(one: Experiment) -> bool:
        return one in folder and (one not in keep or folder.has_model(one))

    tables = with_needs(experiments)
    pending = [one for one in tables if not done(one)]
    running: Running = {}
    failed: list[Experiment] = []
    with progress_bar("experiments", len(pending)) as advance:
        try:
            while pending or running:
                ready = [one for one in pending if one.needs is None or done(one.needs)]
                if failed and not running and not ready:
                    break
                while ready and _may_start(ready[0], running, jobs):
                    one = ready.pop(0)
                    pending.remove(one)
                    job = {
                        "table": tables[one],
                        "glue_dir": glue_dir and str(glue_dir),
                        "keep": one in keep,
                        "modules": sorted({kind.__module__ for kind in Experiment.kinds.values()}),
                    }
                    running[one] = _start(one, folder, job, shares=1 if one.timed else jobs)
                time.sleep(0.2)
                ended = _ended(running, folder)
                failed += [one for one, succeeded in ended.items() if not succeeded]
                advance(len(ended))
        finally:
            for process in running.values():
                process.terminate()
    if failed:
        logs = ", ".join(f"'{folder.log(one)}'" for one in failed)
        raise LecoError(f"{len(failed)} of the cells failed; see {logs}. The same command runs them again.")


def _may_start(experiment: Experiment, running: Collection[Experiment], jobs: int) -> bool:
    """Whether there is room for it: what measures time needs the machine for itself."""
    if experiment.timed or any(other.timed for other in running):
        return not running
    return len(running) < jobs


def _start(
    experiment: Experiment, folder: ResultsFolder, job: dict[str, Any], *, shares: int
) -> subprocess.Popen[bytes]:
    """Start the process of an experiment, with one of `shares` parts of the processor's threads."""
    say(f"running: {experiment.name}")
    threads = max(1, (os.cpu_count() or 1) // shares)
    # Huge pages: without them the kernel clears the large gradient of the word embeddings page by page in each step.
    settings = {"OMP_NUM_THREADS": str(threads), "THP_MEM_ALLOC_ENABLE": "1"}
    described, path = json.dumps({**experiment.description, **job}), folder.log(experiment)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", PROCESS, str(folder.root), described],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings},
        )


def _ended(running: Running, folder: ResultsFolder) -> dict[Experiment, bool]:
    """Take out those whose processes have ended, and say of each whether it succeeded; then its log is removed."""
    ended = {one: process.returncode == 0 for one, process in running.items() if process.poll() is not None}
    for one, succeeded in ended.items():
        del running[one]
        if succeeded:
            folder.log(one).unlink(missing_ok=True)
        say(f"{'done' if succeeded else 'failed'}: {one.name}")
    return ended
