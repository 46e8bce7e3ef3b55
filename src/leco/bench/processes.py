"""Functions that run in processes of their own, so that what they load does not disturb what others time."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from leco.errors import LecoError

Function = Callable[..., Any]


@contextmanager
def serving(prepare: Callable[..., Function], *arguments: Any) -> Iterator[Function]:
    """The function that `prepare(*arguments)` makes in a new process, to be called from here.

    `prepare`, and all that goes to and fro, is pickled. A LecoError over there is raised here.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, prepare, arguments), daemon=True)
    process.start()
    theirs.close()

    def call(*question: Any) -> Any:
        try:
            ours.send(question)
            return _received(ours)
        except (EOFError, OSError) as error:
            raise LecoError("A process of the benchmark ended unexpectedly, perhaps for want of memory.") from error

    try:
        call()
        yield call
    finally:
        ours.close()
        process.join(timeout=10)
        process.kill()


def _received(connection: Connection) -> Any:
    answer = connection.recv()
    if isinstance(answer, LecoError):
        raise answer
    return answer


def _serve(connection: Connection, prepare: Callable[..., Function], arguments: tuple[Any, ...]) -> None:
    """In the new process: make the function, report that it is ready, then answer calls until the pipe closes."""
    try:
        function = prepare(*arguments)
        connection.recv()
        connection.send(None)
        while True:
            connection.send(function(*connection.recv()))
    except LecoError as error:
        connection.send(error)
    except EOFError:
        return
