"""Runs what is not finished, a few at a time, each in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from leco.errors import LecoError
from leco.experiments.work import Work, finished
from leco.files import write_json
from leco.progress import progress_bar, say

LOG = "log.txt"
TASK = "task.json"


def with_needs(works: Sequence[Work]) -> list[Work]:
    """The works, what each of them needs once and in front of the first that needs it; those that are timed last."""
    ordered: dict[Work, None] = {}
    for work in works:
        chain = [work]
        while (needed := chain[0].needs) is not None:
            chain.insert(0, needed)
        ordered.update(dict.fromkeys(chain))
    return sorted(ordered, key=lambda work: work.timed)


def run_all(
    works: Sequence[Work], root: Path, *, glue_dir: Path | None = None, jobs: int = 1, keep: Sequence[Work] = ()
) -> None:
    """Run all works that are not finished, and what they need, `jobs` at a time, those that measure time alone.

    The processor's threads are divided among the jobs. Each writes what it says to `log.txt` in its folder. A killed
    run continues when called again. The models of the cells in `keep`, and of those that curves are drawn of, stay in
    their folders. LecoError, once the others are done, where some failed; it names their logs.
    """
    keep = [*keep, *(work.needs for work in works if work.timed and work.needs and not finished(work, root))]

    def done(work: Work) -> bool:
        return finished(work, root, keep=work in keep)

    pending = [work for work in with_needs(works) if not done(work)]
    running: dict[Work, subprocess.Popen[bytes]] = {}
    failed: list[Work] = []
    with progress_bar("works", len(pending)) as advance:
        try:
            while pending or running:
                ready = [work for work in pending if work.needs is None or done(work.needs)]
                if failed and not running and not ready:
                    break
                while ready and _may_start(ready[0], running, jobs):
                    work = ready.pop(0)
                    pending.remove(work)
                    running[work] = _start(work, root, glue_dir, 1 if work.timed else jobs, keep=work in keep)
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


def _may_start(work: Work, running: Collection[Work], jobs: int) -> bool:
    """Whether there is room for it: what measures time needs the machine for itself."""
    if work.timed or any(other.timed for other in running):
        return not running
    return len(running) < jobs


def _start(work: Work, root: Path, glue_dir: Path | None, shares: int, *, keep: bool) -> subprocess.Popen[bytes]:
    """Start the process of `work`, with one of `shares` parts of the processor's threads."""
    folder = root / work.name
    task = {"kind": type(work).__name__, "settings": work.settings, "keep": keep}
    write_json(folder / TASK, {**task, "glue_dir": None if glue_dir is None else str(glue_dir)})
    say(f"running: {work.name}")
    threads = max(1, (os.cpu_count() or 1) // shares)
    # Huge pages: without them the kernel clears the large gradient of the word embeddings page by page in each step.
    settings = {"OMP_NUM_THREADS": str(threads), "THP_MEM_ALLOC_ENABLE": "1"}
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "leco.experiments.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **settings},
        )
