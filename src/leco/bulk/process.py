"""A process that answers parts: `python -m leco.bulk.process`, which is told the job and then its parts on stdin."""

import os
import pickle
import signal
import sys
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from leco.bulk.answerer import Answerer
from leco.errors import LecoError


def answer_all(told: "SimpleQueue[Any]", out: BinaryIO) -> None:
    """Answer each part that is told after the job, and say what came of it."""

    def say(value: Any) -> None:
        pickle.dump(value, out)
        out.flush()

    try:
        answerer = Answerer(told.get())
        say(0)  # ready
        while True:
            say(answerer.answer(told.get(), say))
    except LecoError as error:
        say(error)


def listen(told: "SimpleQueue[Any]") -> None:
    """Hand on what is told; end this process as soon as whoever tells is gone, which another job may have followed."""
    try:
        while True:
            told.put(pickle.load(sys.stdin.buffer))  # of our own code
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, whose command ends this process
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
        told: SimpleQueue[Any] = SimpleQueue()
        Thread(target=listen, args=(told,), daemon=True).start()
        answer_all(told, out)
