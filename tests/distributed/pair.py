"""Two processes that train one model together, as a launcher starts them, forked from one that has imported all."""

import os
import socket
import sys
import traceback
from pathlib import Path

from torch import nn

from killed import start_warm

LIMIT = 120
"""Seconds in which a pair has ended, or hangs."""


def run_pair(folder, work, *arguments):
    """Run `work(*arguments)` in two processes; exit codes, and what each has printed on both streams."""
    context, port = start_warm(), free_port()
    places = [folder / f"process{rank}.txt" for rank in range(2)]
    processes = [
        context.Process(target=_as_rank, args=(rank, port, places[rank], work, arguments)) for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT)
    hanging = [process for process in processes if process.is_alive()]
    for process in hanging:
        process.kill()
    printed = [place.read_text() for place in places]
    assert not hanging, printed
    return [process.exitcode for process in processes], printed


def free_port():
    """A port of this machine on which nobody listens."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def _as_rank(rank, port, printed, work, arguments):
    from leco import progress

    about = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({"MASTER_ADDR": "127.0.0.1", **{name: str(value) for name, value in about.items()}})
    progress.console.quiet = rank != 0  # as if it were imported now
    with Path(printed).open("w", buffering=1) as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
        sys.stdout = sys.stderr = file
        try:
            work(*arguments)
        except Exception:
            traceback.print_exc()
            raise


def without_dropout(model):
    """The model, which draws nothing at random while it is trained."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def command_line(arguments, rank_arguments=None):
    """Run a command; `rank_arguments` are the further ones of each process."""
    from leco.cli import main

    own = (rank_arguments or [[], []])[int(os.environ["RANK"])]
    main([*arguments, *own])
