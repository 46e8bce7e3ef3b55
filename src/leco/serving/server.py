"""The processes of a service: one, or several behind one socket."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from socket import IPPROTO_TCP, SHUT_RDWR, TCP_NODELAY
from socket import socket as Socket
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import sleep
from types import FrameType
from typing import Any

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.supervisors import Multiprocess

from leco.calibration import MonitorOptions
from leco.errors import LecoError
from leco.loading import PredictorSpec
from leco.serving.app import create_app
from leco.serving.connections import PunctualProtocol
from leco.serving.keeper import SUPPORTED, Handing, Keeper, refuse
from leco.serving.metrics import SHARED, Metrics
from leco.serving.options import ENVIRONMENT, ServingOptions
from leco.serving.service import Service

logger = logging.getLogger("leco.serving")

KEY, KEY_FILE = f"{ENVIRONMENT}API_KEY", f"{ENVIRONMENT}API_KEY_FILE"
"""The environment variables that hold the token, or name its file."""
NOT_RELOADED = "The model could not be loaded anew, and the former one goes on: %s"
KEEPER = "keeper"
"""The socket of the parent, in the folder in which workers count."""
LOADING = 120
"""Seconds in which a new worker must have loaded its model, or else the one that it replaces goes on."""
ENDS, POLLING = {signal.SIGINT, signal.SIGTERM}, 0.1
"""The signals to end, and how often the parent of workers that end looks whether another one came, in seconds."""
HANDED_ON = f"{ENVIRONMENT}SERVICE"
"""The environment variable by which workers are told what they serve."""


def serve(
    spec: PredictorSpec,
    options: ServingOptions,
    monitoring: MonitorOptions,
    on_listening: Callable[[str], None] = lambda address: None,
) -> int:
    """Serve a model until SIGTERM or SIGINT, which let accepted requests be answered; a second one ends at once.

    Gives the exit code. SIGHUP loads the model anew; `on_listening` is told the address once there is a model.
    LecoError where the model, the token or the port cannot be had.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s" if options.log_json else "%(asctime)s %(message)s")
    key = read_key(options)  # once, since it may be a pipe
    config = _config("leco.serving.server:worker", options)
    socket = _bound(config, options)  # what is wrong with either is said before the model is loaded
    spec = replace(spec, threads=shared_threads(options))
    if options.workers > 1:
        spec.load()  # what is wrong with it is said once, before workers begin
        _hand_on(spec, options, monitoring, key)
        with TemporaryDirectory(prefix="leco-metrics-") as counts:
            os.environ[SHARED] = counts
            if SUPPORTED:
                Keeper(Path(counts) / KEEPER)
            _listen(socket, config, on_listening)
            Workers(config, [socket]).run()
    else:
        service = Service(spec, options, monitoring, Metrics(logger.warning))
        _listen(socket, config, on_listening)
        Server(_config(create_app(service, options, key), options), service).run(sockets=[socket])
    return 0


class Ending(Event):
    """Set, or as good as set: a signal to end waits to be handled. A reload that is on its way looks at it."""

    def __init__(self, signals: list[int]) -> None:
        super().__init__()
        self._signals = signals

    def is_set(self) -> bool:
        """Whether all is to end."""
        return super().is_set() or not ENDS.isdisjoint(self._signals)


class Workers(Multiprocess):
    """Processes behind one socket, which count together; one that has died is replaced, and what it counted stays."""

    def __init__(self, config: uvicorn.Config, sockets: list[Socket]) -> None:
        super().__init__(config, sockets)
        self.should_exit = Ending(self.signal_queue)
        self._known: set[int | None] = set()

    def terminate_all(self) -> None:
        """End the processes; who connects until they have ended is told so, and is not left in the queue."""
        for socket in self.sockets:
            Thread(target=refuse, args=(socket,), name="leco-refusing", daemon=True).start()
        super().terminate_all()

    def join_all(self) -> None:
        """Wait for the end of the processes, and then let nobody connect: to end, this one takes a while.

        At a second signal they end at once.
        """
        while any(process.process.is_alive() for process in self.processes):
            if not ENDS.isdisjoint(self.signal_queue):
                for process in self.processes:
                    process.kill()
            sleep(POLLING)
        super().join_all()
        for socket in self.sockets:
            refuse(socket, patience=0)
            with suppress(OSError):  # where the system has no such thing for a socket that listens
                socket.shutdown(SHUT_RDWR)
            socket.close()

    def keep_subprocess_alive(self) -> None:
        """Replace those that have died, and forget what waited in those that are gone."""
        for process in self.processes:
            process.child_conn.close()  # the worker has its own; with ours open, its death would not be seen in here
        super().keep_subprocess_alive()
        there = {process.pid for process in self.processes}
        for pid in self._known - there:
            mark_process_dead(pid)
        self._known = there


class Server(uvicorn.Server):
    """Ends with exit code 0 when it is asked to, and loads its model anew on SIGHUP."""

    def __init__(self, config: uvicorn.Config, service: Service | None = None) -> None:
        super().__init__(config)
        self.service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take no more connections, or, at a second signal, end at once."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        if self.service is not None:
            self.service.stopping = True

    async def startup(self, sockets: Any = None) -> None:
        """Begin to listen, and to listen to SIGHUP."""
        await super().startup(sockets)
        if self.service is not None and hasattr(signal, "SIGHUP"):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, self._begin_reload)

    def _begin_reload(self) -> None:
        self._reloading = asyncio.ensure_future(self._reload())  # what nobody holds may be collected before its end

    async def _reload(self) -> None:
        assert self.service is not None
        try:
            await self.service.reload()
            logger.info("The model was loaded anew.")
        except Exception as error:
            logger.error(NOT_RELOADED, error)


def worker() -> Any:
    """The application of a worker, by what its parent has handed on."""
    handed = json.loads(os.environ[HANDED_ON])
    spec, options = PredictorSpec(**handed["spec"]), ServingOptions(**_paths(handed["options"]))
    service = Service(spec, options, MonitorOptions(**handed["monitoring"]), Metrics(logger.warning))
    if SUPPORTED:
        PunctualProtocol.parent = Handing(Path(os.environ[SHARED]) / KEEPER)
    return create_app(service, options, os.environ.get(KEY))


def read_key(options: ServingOptions) -> str | None:
    """The token that requests must bear; None where none is named. LecoError for one that cannot be read, or is empty.

    An empty one is mostly a secret that was not filled in, without which the service would be open to all.
    """
    if options.api_key_file is None:
        return _key_in_environment()
    try:
        key = options.api_key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LecoError(f"The file of the token, '{options.api_key_file}', cannot be read.") from error
    if not key:
        raise LecoError(f"The file of the token, '{options.api_key_file}', is empty.")
    return key


def _key_in_environment() -> str | None:
    key = os.environ.get(KEY, "").strip()
    empty = [name for name in (KEY, KEY_FILE) if not os.environ.get(name, "unset").strip()]
    if empty and not key:
        raise LecoError(f"The environment variable of the token, {empty[0]}, is empty. Unset it to serve without one.")
    return key or None


def _hand_on(spec: PredictorSpec, options: ServingOptions, monitoring: MonitorOptions, key: str | None) -> None:
    """Tell workers what they serve."""
    handed = {"spec": _plain(spec), "options": _plain(options), "monitoring": asdict(monitoring)}
    os.environ[HANDED_ON] = json.dumps(handed)
    if key is not None:
        os.environ[KEY] = key


def shared_threads(options: ServingOptions) -> int:
    """The threads of a process: its share of the cores, unless it is given."""
    return options.threads or max((os.cpu_count() or 1) // options.workers, 1)


def _config(app: Any, options: ServingOptions) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        host=options.host,
        port=options.port,
        workers=options.workers,
        http=PunctualProtocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(options.timeout) + 5,
        timeout_worker_healthcheck=LOADING,
    )


def _bound(config: uvicorn.Config, options: ServingOptions) -> Socket:
    """The socket; LecoError where it cannot be had."""
    try:
        socket = config.bind_socket()
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, True)  # or else the end of each answer waits 40 ms
        return socket
    except SystemExit as error:
        raise LecoError(
            f"The port {options.port} of {options.host} cannot be listened on: it is taken, or not ours."
        ) from error


def _listen(socket: Socket, config: uvicorn.Config, on_listening: Callable[[str], None]) -> None:
    """Begin to listen, and say where; who connects before workers are ready waits for them."""
    socket.listen(config.backlog)
    host, port = socket.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    logger.info("Listening on %s", address)
    on_listening(address)


def _plain(group: Any) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(group).items()}


def _paths(values: dict[str, Any]) -> dict[str, Any]:
    file = values["api_key_file"]
    return {**values, "api_key_file": None if file is None else Path(file)}
