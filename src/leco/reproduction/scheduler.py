"""Runs what is not finished, a few at a time, each in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from leco.errors import LecoError
from leco.files import write_json
from leco.progress import progress_bar, say
from leco.reproduction.experiment import Experiment, finished

LOG = "log.txt"
TASK = "task.json"


def with_needs(experiments: Sequence[Experiment]) -> list[Experiment]:
    """The experiments, each after what it needs, and once; those that are timed last."""
    ordered: dict[Experiment, None] = {}
    for experiment in experiments:
        chain = [experiment]
        while (needed := chain[0].needs) is not None:
            chain.insert(0, needed)
        ordered.update(dict.fromkeys(chain))
    return sorted(ordered, key=lambda experiment: experiment.timed)


def run_all(
    experiments: Sequence[Experiment],
    root: Path,
    *,
    glue_dir: Path | None = None,
    jobs: int = 1,
    keep: Sequence[Experiment] = (),
) -> None:
    """Run all experiments that are not finished, and what they need, `jobs` at a time, those that measure time alone.

    The processor's threads are divided among the jobs. Each writes what it says to `log.txt` in its folder. A killed
    run continues when called again. The models of the cells in `keep`, and of those that curves are drawn of, stay in
    their folders. LecoError, once the others are done, where some failed; it names their logs.
    """
    keep = [
        *keep,
        *(
            experiment.needs
            for experiment in experiments
            if experiment.timed and experiment.needs and not finished(experiment, root)
        ),
    ]

    def done(experiment: Experiment) -> bool:
        return finished(experiment, root, keep=experiment in keep)

    pending = [experiment for experiment in with_needs(experiments) if not done(experiment)]
    running: dict[Experiment, subprocess.Popen[bytes]] = {}
    failed: list[Experiment] = []
    with progress_bar("experiments", len(pending)) as advance:
        try:
            while pending or running:
                ready = [experiment for experiment in pending if experiment.needs is None or done(experiment.needs)]
                if failed and not running and not ready:
                    break
                while ready and _may_start(ready[0], running, jobs):
                    experiment = ready.pop(0)
                    pending.remove(experiment)
                    running[experiment] = _start(
                        experiment, root, glue_dir, 1 if experiment.timed else jobs, keep=experiment in keep
                    )
                time.sleep(0.2)
                for experiment, process in list(running.items()):
                    if process.poll() is not None:
                        del running[experiment]
                        advance(1)
                        if process.returncode:
                            failed.append(experiment)
                        say(f"{'failed' if process.returncode else 'done'}: {experiment.name}")
        finally:
            for process in running.values():
                process.terminate()
    if failed:
        logs = ", ".join(f"'{root / experiment.name / LOG}'" for experiment in failed)
        raise LecoError(f"{len(failed)} of the cells failed; see {logs}. The same command runs them again.")


def _may_start(experiment: Experiment, running: Collection[Experiment], jobs: int) -> bool:
    """Whether there is room for it: what measures time needs the machine for itself."""
    if experiment.timed or any(other.timed for other in running):
        return not running
    return len(running) < jobs


def _start(
    experiment: Experiment, root: Path, glue_dir: Path | None, shares: int, *, keep: bool
) -> subprocess.Popen[bytes]:
    """Start the process of `experiment`, with one of `shares` parts of the processor's threads."""
    folder = root / experiment.name
    task = {"kind": type(experiment).__name__, "settings": experiment.settings, "keep": keep}
    write_json(folder / TASK, {**task, "glue_dir": None if glue_dir is None else str(glue_dir)})
    say(f"running: {experiment.name}")
    threads = max(1, (os.cpu_count() or 1) // shares)
    # Huge pages: without them the kernel clears the large gradient of the word embeddings page by page in each step.
    settings = {"OMP_NUM_THREADS": str(threads), "THP_MEM_ALLOC_ENABLE": "1"}
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "leco.reproduction.experiment_process", str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings},
        )
