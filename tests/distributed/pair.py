"""Two processes that train one model together, as a launcher starts them, forked from one that has imported all."""

import os
import socket
import sys
import traceback
from pathlib import Path

import torch
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
    with Path(printed).open("w") as empty:
        os.dup2(empty.fileno(), 2)  # what is said below Python
    with Path(printed).open("a", buffering=1) as sys.stdout, Path(printed).open("a", buffering=1) as sys.stderr:
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


def assert_nearly(weights, expected):
    """The same, but for what rounding becomes in a few steps of Adam.

    A key's bias has no gradient but rounding, of which Adam makes whole steps; it changes nothing that a model says.
    """
    for name, value in expected.items():
        if name.endswith("key.bias"):
            continue
        pair = [weights[name], value]
        if name.endswith("qkv-bias"):  # of a supernet: [M, 3 e] of query, key and value
            pair = [one.unflatten(-1, (3, -1))[:, [0, 2]] for one in pair]
        torch.testing.assert_close(*pair, rtol=0, atol=1e-3, msg=name)


def command_line(arguments, rank_arguments=None):
    """Run a command; `rank_arguments` are the further ones of each process."""
    from leco.cli import main

    own = (rank_arguments or [[], []])[int(os.environ["RANK"])]
    main([*arguments, *own])
