"""Folders that commands write into: one at a time, and with errors that say what to do."""

import errno
import json
import os
import platform
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from filelock import BaseFileLock, FileLock, Timeout

from leco.errors import LecoError, parameter
from leco.files import TEMPORARY, read_json
from leco.launcher import is_first

LOCK = ".leco.lock"
SHORTLY = 60
"""Seconds in which a command that writes one file, which is all that it holds a folder for, has ended."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNLOCKABLE = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}


@dataclass(frozen=True)
class Hold:
    """The right to write into a folder, which ends with its lock file: with the folder, if somebody removes that."""

    folder: Path
    lock: Path | None = None
    inode: int | None = None

    def stands(self) -> bool:
        """Whether the folder is still the one that was taken."""
        try:
            return self.lock is None or self.lock.stat().st_ino == self.inode
        except FileNotFoundError:
            return False

    def check(self) -> None:
        """Raise LecoError where the folder has been removed, or replaced, since it was taken."""
        if not self.stands():
            raise LecoError(f"The folder '{self.folder}' was removed while this run was writing into it. Run it again.")


@contextmanager
def holding(folder: Path, name: str = "output", *, wait: float = 0) -> Iterator[Hold]:
    """A block that alone writes into the folder that `name` names, which is made if need be.

    A LecoError names the process that holds it, if that does not end within `wait` seconds. The lock is the operating
    system's, and ends with its process whatever ends that. What such a process left half written is removed. Of several
    processes that train one model together, the first holds the folder for all. Errors are those of `writing`.
    """
    with writing(folder, name):
        folder.mkdir(parents=True, exist_ok=True)
        if not is_first():
            yield Hold(folder)
            return
        lock = _locked(folder, name, wait)
        if lock is None:
            yield Hold(folder)
            return
        path = Path(lock.lock_file)
        hold = Hold(folder, path, path.stat().st_ino)
        try:
            path.write_text(json.dumps({"process": os.getpid(), "command": sys.argv, "machine": platform.node()}))
            remove_temporaries(folder)
            yield hold
        finally:
            if hold.stands():
                path.unlink()  # before the release: whoever waits for it sees that it is gone, and makes a new one
            lock.release()


def _locked(folder: Path, name: str, wait: float) -> BaseFileLock | None:
    """The lock of a folder; None, with a warning, where the file system has none."""
    lock = FileLock(folder / LOCK, preserve_lock_file=True)  # nothing weaker in its place
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        holder = _holder(folder / LOCK)
        raise LecoError(
            f"{parameter(name)} '{folder}' is being written to by {holder}. "
            "Wait until that has ended, or give another folder."
        ) from None
    except OSError as error:
        if error.errno not in UNLOCKABLE:
            raise
        warnings.warn(f"'{folder}' cannot be locked. See to it that no other run writes into it.", stacklevel=2)
        return None
    return lock


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed process was writing into `folder`, which nobody else may be writing into now."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink()


@contextmanager
def writing(folder: Path, name: str = "output") -> Iterator[None]:
    """A block that writes into the folder that `name` names, whose errors name both and what to do."""
    try:
        yield
    except (LecoError, BrokenPipeError):  # the latter is of standard output
        raise
    except Exception as error:
        number = _failed_write(error)
        if number is None:
            raise
        remedy = "Give another folder."
        if number in FULL:
            remedy = "Make room there and repeat the command: a run continues where it stopped."
        elif number == errno.ENAMETOOLONG:
            remedy = "Give a shorter name."
        raise LecoError(
            f"{parameter(name)} '{folder}' cannot be written to ({os.strerror(number)}). {remedy}"
        ) from error


def check_writable(folder: Path, name: str = "output") -> None:
    """LecoError unless files can be written into `folder`, which is made if need be."""
    with writing(folder, name):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass


def _failed_write(error: Exception) -> int | None:
    """The operating system's number of what went wrong in writing; None where `error` is about something else.

    PyTorch and safetensors have errors of their own for it. PyTorch's is without a number: the disk is full, mostly.
    """
    if isinstance(error, OSError):
        return error.errno
    if found := re.search(r"I/O error: .*\(os error (\d+)\)", str(error)):
        return int(found[1])
    if isinstance(error, RuntimeError) and re.search(r"unexpected pos|PytorchStreamWriter", str(error)):
        return error.__context__.errno if isinstance(error.__context__, OSError) else errno.ENOSPC
    return None


def _holder(path: Path) -> str:
    """Who holds the lock in `path`, as far as it says."""
    try:
        holder = read_json(path)
        command = " ".join(holder["command"])
        return f"process {holder['process']} on {holder['machine']} ({command:.200})"
    except (LecoError, KeyError, TypeError):  # it has only just been made, or is another program's
        return "another process"
