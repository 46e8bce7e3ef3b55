"""Where experiments run, each in a process of its own: on this machine, or (`ray_engine.py`) on a cluster."""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

PROCESS = "leco.reproduction.experiment_process"


@dataclass(frozen=True)
class ExperimentProcess:
    """The process of an experiment, before it begins: small, and pickled to where that is.

    Attributes:
        root: the folder of results, and `job` what it is given of the experiment, as JSON (`experiment_process.run`).
        log: where its output goes.
        threads: how many it has of the processor's.
        gpu: whether it wants a GPU.
        directory: the working directory, to which paths are relative.

    """

    root: str
    job: str
    log: Path
    threads: int
    gpu: bool
    directory: Path

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it; it ends with whoever has started it."""
        # Huge pages: without, the kernel clears the large gradient of the word embeddings page by page in each step.
        settings = {"OMP_NUM_THREADS": str(self.threads), "THP_MEM_ALLOC_ENABLE": "1"}
        log = self.directory / self.log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", PROCESS, self.root, self.job],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env={**os.environ, **settings},
            )


class Running(ABC):
    """The process of an experiment, once it was started."""

    @abstractmethod
    def ended(self) -> bool | None:
        """Whether it has succeeded; None while it runs, or waits for room."""

    @abstractmethod
    def stop(self) -> None:
        """End it."""


class Engine(ABC):
    """A place where experiments run."""

    @abstractmethod
    def threads(self, shares: int) -> int:
        """The threads of a process, where so many run at a time."""

    @abstractmethod
    def start(self, process: ExperimentProcess) -> Running:
        """Start a process there."""


class LocalEngine(Engine):
    """The machine that this runs on."""

    def threads(self, shares: int) -> int:
        """An equal share of its threads."""
        return max(1, (os.cpu_count() or 1) // shares)

    def start(self, process: ExperimentProcess) -> Running:
        """Start it."""
        return LocalProcess(process.start())


@dataclass(frozen=True)
class LocalProcess(Running):
    """A process of this machine."""

    process: "subprocess.Popen[bytes]"

    def ended(self) -> bool | None:
        """Ask the operating system."""
        code = self.process.poll()
        return None if code is None else code == 0

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
