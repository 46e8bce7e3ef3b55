"""A command in a process of its own that dies at one of the moments at which it changes files.

The processes are forked from one that has imported everything, on one thread, so that each takes a second.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"}
WARM = ("leco.pipeline", "leco.cli", "leco.export", "leco.report", "leco.evaluation.plots", "matplotlib.figure",
        "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "sklearn.metrics", "scipy.stats",
        "transformers.models.bert.modeling_bert", "accelerate", "killed")  # fmt: skip


def start_warm():
    """The context in which `command` runs; what it forks from starts with the first of them."""
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(WARM))
    return context


def command(arguments, folder, kill_at=None, events=None):
    """Run a command line, and kill the process at change number `kill_at` in `folder`; `events` gets their number.

    Pictures, which take most of the time, are files of nothing.
    """
    from matplotlib.figure import Figure

    from leco.cli import main

    Figure.savefig = lambda self, path, **_: Path(path).write_bytes(b"")
    number = 0

    def watch(event, given):
        nonlocal number
        if changes(event, given, folder):
            number += 1
            if number == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    with Path(os.devnull).open("w") as null:
        sys.stdout = sys.stderr = null
        try:
            main(arguments)
        finally:
            if events is not None:
                events.value = number


def changes(event, given, folder):
    """Whether an audit event, just before it happens, is a change in the folder."""
    if event == "open":
        path, _, flags = given
        return isinstance(path, str | os.PathLike) and inside(path, folder) and bool(flags & (os.O_WRONLY | os.O_RDWR))
    if event not in CHANGES:
        return False
    return inside(given[0], folder) or any(isinstance(one, int) and one > 2 for one in given[1:2])  # of an open folder


def inside(path, folder):
    return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(folder)
