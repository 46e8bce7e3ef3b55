"""Runs what is not finished, a few at a time, each in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from leco.errors import LecoError
from leco.experiments.cells import Cell, Work, finished
from leco.files import write_json
from leco.progress import progress_bar, say

LOG = "log.txt"
TASK = "task.json"


def with_searches(cells: Sequence[Cell]) -> list[Work]:
    """The cells, each search that they need once and in front of the first that needs it."""
    ordered: dict[Work, None] = {}
    for cell in cells:
        if cell.search is not None:
            ordered[cell.search] = None
        ordered[cell] = None
    return list(ordered)


def run_all(
    cells: Sequence[Cell], root: Path, *, glue_dir: Path | None = None, jobs: int = 1, keep: Sequence[Cell] = ()
) -> None:
    """Run all cells that are not finished, and the searches that they need, `jobs` at a time.

    The processor's threads are divided among the jobs. Each writes what it says to `log.txt` in its folder. A killed
    run continues when called again. The models of the cells in `keep` stay in their folders. LecoError, once the
    others are done, where some failed; it names their logs.
    """
    pending = [work for work in with_searches(cells) if not finished(work, root)]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    running: dict[Work, subprocess.Popen[bytes]] = {}
    failed: list[Work] = []
    with progress_bar("cells", len(pending)) as advance:
        try:
            while pending or running:
                ready = [work for work in pending if not _waits(work, root)]
                if failed and not running and not ready:
                    break
                while ready and len(running) < jobs:
                    work = ready.pop(0)
                    pending.remove(work)
                    running[work] = _start(work, root, glue_dir, threads, keep=work in keep)
                time.sleep(0.2)
                for work, process in list(running.items()):
                    if process.poll() is not None:
                        del running[work]
                        advance(1)
                        if process.returncode:
                            failed.append(work)
                        say(f"{'failed' if process.returncode else 'done'}: {work.name}")
        finally:
            for process in running.values():
                process.terminate()
    if failed:
        logs = ", ".join(f"'{root / work.name / LOG}'" for work in failed)
        raise LecoError(f"{len(failed)} of the cells failed; see {logs}. The same command runs them again.")


def _waits(work: Work, root: Path) -> bool:
    """Whether it needs a search that is not finished."""
    return isinstance(work, Cell) and work.search is not None and not finished(work.search, root)


def _start(work: Work, root: Path, glue_dir: Path | None, threads: int, *, keep: bool) -> subprocess.Popen[bytes]:
    folder = root / work.name
    task = {"kind": type(work).__name__, "settings": work.settings, "keep": keep}
    write_json(folder / TASK, {**task, "glue_dir": None if glue_dir is None else str(glue_dir)})
    say(f"running: {work.name}")
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "leco.experiments.worker", str(folder)],
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        )
