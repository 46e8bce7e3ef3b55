"""Requests of workers, whose connections their parent keeps open, so that those of a worker that dies have an answer.

A worker hands the parent each connection on which a request has begun, over a Unix socket, and takes it back when the
answer begins. Where the worker's own end of that socket closes while connections are kept, it has died. While workers
end, it refuses who connects.
"""

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from select import select
from threading import Thread
from typing import Any

from leco.serving.waiting import DrainingError


def unavailable(sentence: str) -> bytes:
    """The answer of a service that does not take a request, and why."""
    body = json.dumps({"error": sentence, "error_type": "unhealthy"}).encode()
    return (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


DIED = unavailable("The process that answered this request has died. Try again.")
ENDING = unavailable(str(DrainingError()))
SUPPORTED = hasattr(socket, "SOCK_SEQPACKET") and hasattr(socket, "send_fds")
"""Whether the system has sockets that hand over open files in messages: Linux does."""
LONGEST = 32
READING = 0.1
"""Seconds for which a request is waited for that is refused."""


class Keeper:
    """The parent's side: threads that keep the connections of workers until these take them back.

    Args:
        path: the socket on which workers find it.

    """

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen()
        Thread(target=self._accept, name="leco-keeper", daemon=True).start()

    def _accept(self) -> None:
        while True:
            worker, _ = self._listener.accept()
            Thread(target=self._keep, args=(worker,), daemon=True).start()

    @staticmethod
    def _keep(worker: socket.socket) -> None:
        """Keep what a worker hands over; answer what is left when it is gone."""
        kept: dict[bytes, socket.socket] = {}
        with worker:
            while True:
                try:
                    message, files, _, _ = socket.recv_fds(worker, LONGEST, 1)
                except OSError:
                    break
                if not message:
                    break
                if files:
                    kept[message] = socket.socket(fileno=files[0])
                elif message in kept:
                    kept.pop(message).close()
        for connection in kept.values():
            close_with(DIED, connection)


def refuse(listener: socket.socket, patience: float | None = None) -> None:
    """Answer by 503 whoever connects, whom nobody else would take, and who would wait in vain.

    With `patience`, only until so many seconds go by in which nobody does; else until the socket is closed.
    """
    while listener.fileno() >= 0:
        with suppress(OSError, ValueError):  # somebody else took it, it went away, or the socket was closed
            if not select([listener], [], [], patience)[0]:
                return
            connection, _ = listener.accept()
            select([connection], [], [], READING)
            close_with(ENDING, connection)


def close_with(answer: bytes, connection: socket.socket) -> None:
    """Answer a request, and close its connection."""
    with suppress(OSError), connection:
        connection.setblocking(False)
        with suppress(BlockingIOError):
            while connection.recv(2**16):  # what is not read would have the answer thrown away
                pass
        connection.send(answer)
        connection.shutdown(socket.SHUT_RDWR)


class Handing:
    """A worker's side: hands connections over, and takes them back. The worker shuts down where its parent has died."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(path))
        self._numbers = count()
        Thread(target=self._watch, name="leco-parent", daemon=True).start()

    def _watch(self) -> None:
        """Wait for the end of the parent, which says nothing before."""
        with suppress(OSError):
            self._socket.recv(1)
        os.kill(os.getpid(), signal.SIGTERM)

    def hand_over(self, connection: Any) -> Callable[[], None]:
        """Have the parent keep a connection, an open socket; gives what takes it back."""
        name = str(next(self._numbers)).encode()
        with suppress(OSError):  # a parent that is busy or gone keeps nothing
            socket.send_fds(self._socket, [name], [connection.fileno()], socket.MSG_DONTWAIT)

        def take_back() -> None:
            with suppress(OSError):
                self._socket.send(name, socket.MSG_DONTWAIT)

        return take_back
