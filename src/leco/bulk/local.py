"""Parts that are answered here: in this process, or in several that share the cores."""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from threading import Thread
from typing import Any

from leco.bulk.answerer import Answerer
from leco.bulk.job import ATTEMPTS, Event, Job, Outcome, Tell, given_up
from leco.bulk.options import BulkOptions
from leco.bulk.parts import Part
from leco.bulk.places import is_in_memory
from leco.bulk.plan import Plan
from leco.devices import pick_device
from leco.errors import LecoError, parameter
from leco.loading import PredictorSpec, is_file
from leco.runtime import Predictor

MOST = 8
"""Processes where none is said: each has the model in its memory."""
PROCESS = "leco.bulk.process"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
"""The variables by which libraries are told how many threads are theirs; Rayon's is the tokenizers'."""


class LocalEngine:
    """The engine of this machine."""

    def __init__(self, options: BulkOptions) -> None:
        self.options = options

    def begin(self, planned: Plan, predictor: Predictor) -> Callable[[Tell], None]:
        """See `leco.bulk.engines.Engine`."""
        job, parts = planned.job, planned.pending
        if job is None or not parts:
            return lambda tell: None
        workers = self._workers(job, parts)
        if workers > 1:
            threads = job.spec.threads or max(cores() // workers, 1)
            return Processes(replace(job, spec=replace(job.spec, threads=threads)), parts, workers).run
        answerer = Answerer(job, predictor)

        def answer_here(tell: Tell) -> None:
            for part in parts:
                tell(answerer.answer(part, tell))

        return answer_here

    def _workers(self, job: Job, parts: Sequence[Part]) -> int:
        """How many processes; LecoError where others than this one cannot see the files."""
        wanted = self.options.workers
        if any(map(is_in_memory, (job.output, parts[0].address))):
            if (wanted or 1) > 1:
                raise LecoError(f"Files in memory are in this process alone: {parameter('workers')} must be 1.")
            return 1
        return min(wanted or (1 if _on_gpu(job.spec) else min(cores(), MOST)), len(parts))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _on_gpu(spec: PredictorSpec) -> bool:
    return not is_file(spec.path) and pick_device(spec.device).type != "cpu"


class Processes:
    """Processes that answer the parts of a job, each one part at a time; one that ends is replaced."""

    def __init__(self, job: Job, parts: Sequence[Part], workers: int) -> None:
        self.job, self.workers = job, workers
        self._waiting = deque(parts)
        self._events: SimpleQueue[Event | BaseException | None] = SimpleQueue()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, tell: Tell) -> None:
        """Answer all parts; LecoError for what is wrong with any."""
        seats = [Thread(target=self._seat, daemon=True) for _ in range(self.workers)]
        try:
            for seat in seats:
                seat.start()
            left = len(seats)
            while left:
                event = self._events.get()
                if isinstance(event, BaseException):
                    raise event
                if event is None:
                    left -= 1
                else:
                    tell(event)
        finally:
            self._stopped = True
            for process in [*self._running]:
                process.kill()
                process.wait()

    def _seat(self) -> None:
        """Answer parts until none waits, in a process that is started anew where it ends."""
        process = None
        try:
            while (part := self._next()) is not None:
                for _ in range(ATTEMPTS):
                    process = process or self._started()
                    if self._answered(process, part):
                        break
                    process = None
                else:
                    self._events.put(Outcome(part, problem=given_up(ATTEMPTS)))
        except BaseException as error:
            self._events.put(error)
        finally:
            if process is not None:
                self._end(process)
            self._events.put(None)

    def _next(self) -> Part | None:
        with suppress(IndexError):
            return None if self._stopped else self._waiting.popleft()
        return None

    def _started(self) -> subprocess.Popen[bytes]:
        """A process that has loaded the model; LecoError where there is none to be had."""
        for _ in range(ATTEMPTS):
            threads = dict.fromkeys(THREADS, str(self.job.spec.threads))
            environment, command = {**os.environ, **threads, "TQDM_DISABLE": "1"}, [sys.executable, "-m", PROCESS]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
            self._running.add(process)
            if self._stopped:
                break
            with suppress(EOFError, OSError, pickle.UnpicklingError):
                _send(process, self.job)
                _receive(process)
                return process
            self._end(process)
        raise LecoError(
            f"The processes that answer end while they load the model, perhaps for want of memory. Give fewer "
            f"{parameter('workers')}."
        )

    def _answered(self, process: "subprocess.Popen[bytes]", part: Part) -> bool:
        """Whether the process has answered a part, or said what is wrong with it; its rows count only then."""
        rows = 0
        try:
            _send(process, part)
            while isinstance(event := _receive(process), int):
                rows += event
                self._events.put(event)
            self._events.put(event)
            return True
        except (EOFError, OSError, pickle.UnpicklingError):  # it was killed
            self._end(process)
            self._events.put(-rows)
            return False

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.communicate()
        self._running.discard(process)


def _send(process: "subprocess.Popen[bytes]", value: Any) -> None:
    assert process.stdin is not None
    pickle.dump(value, process.stdin)
    process.stdin.flush()


def _receive(process: "subprocess.Popen[bytes]") -> Any:
    assert process.stdout is not None
    value = pickle.load(process.stdout)  # of our own code
    if isinstance(value, LecoError):
        raise value
    return value
