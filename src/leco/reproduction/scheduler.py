"""Runs the experiments that are not finished, a few at a time, each in a process of its own."""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from leco.errors import LecoError
from leco.progress import progress_bar, say
from leco.reproduction.engines import Engine, ExperimentProcess, LocalEngine, Running
from leco.reproduction.experiment import Experiment
from leco.reproduction.ray_engine import RayEngine
from leco.reproduction.results_folder import ResultsFolder
from leco.settings import LOCAL, RAY, TablesOptions

ENGINES: Mapping[str, Callable[[TablesOptions], Engine]] = {
    LOCAL: lambda options: LocalEngine(),
    RAY: lambda options: RayEngine(options.ray_address),
}
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
    engine: Engine | None = None,
) -> None:
    """Run all experiments that are not finished, and what they need.

    A killed run continues when called again.

    Args:
        experiments: each with the table for which it runs, to whose file its record is appended; or for none.
        root: the folder of results (`ResultsFolder`).
        glue_dir: GLUE's data.
        jobs: how many run at a time, with equal shares of the processor's threads; those that measure time run alone.
        keep: cells whose models stay in their working folders, as do those of which curves are drawn.
        engine: where they run, by default on this machine.

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
    running: dict[Experiment, Running] = {}
    failed: list[Experiment] = []
    place = engine or LocalEngine()
    with progress_bar("experiments", len(pending)) as advance:
        try:
            while pending or running:
                ready = [one for one in pending if one.needs is None or done(one.needs)]
                if not running and not ready:
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
                    say(f"running: {one.name}")
                    threads = place.threads(1 if one.timed else jobs)
                    running[one] = place.start(_process(one, folder, job, threads))
                time.sleep(0.2)
                ended = _ended(running, folder)
                failed += [one for one, succeeded in ended.items() if not succeeded]
                advance(len(ended))
        finally:
            for process in running.values():
                process.stop()
    if pending and not failed:
        raise LecoError(
            f"{len(pending)} of the cells wait for what is not found in '{root}', such as {pending[0].name}."
        )
    if failed:
        logs = ", ".join(f"'{folder.log(one)}'" for one in failed)
        raise LecoError(f"{len(failed)} of the cells failed; see {logs}. The same command runs them again.")


def _may_start(experiment: Experiment, running: Collection[Experiment], jobs: int) -> bool:
    """Whether there is room for it: what measures time needs the machine for itself."""
    if experiment.timed or any(other.timed for other in running):
        return not running
    return len(running) < jobs


def _process(experiment: Experiment, folder: ResultsFolder, job: dict[str, Any], threads: int) -> ExperimentProcess:
    """The process of an experiment."""
    described = json.dumps({**experiment.description, **job})
    gpu = experiment.device != "cpu"
    return ExperimentProcess(str(folder.root), described, folder.log(experiment), threads, gpu, Path.cwd())


def _ended(running: dict[Experiment, Running], folder: ResultsFolder) -> dict[Experiment, bool]:
    """Take out those whose processes have ended, and say of each whether it succeeded; then its log is removed."""
    asked = {one: process.ended() for one, process in running.items()}
    ended = {one: succeeded for one, succeeded in asked.items() if succeeded is not None}
    for one, succeeded in ended.items():
        del running[one]
        if succeeded:
            folder.log(one).unlink(missing_ok=True)
        say(f"{'done' if succeeded else 'failed'}: {one.name}")
    return ended
