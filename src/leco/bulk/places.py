"""Files wherever fsspec finds them: on this machine, or at an address such as s3://bucket/folder."""

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import BinaryIO

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from leco.data.opened import open_bytes, reading, unpacked
from leco.display import shortened
from leco.errors import LecoError, first_line
from leco.files import TEMPORARY, atomic_path
from leco.folders import writing

IN_MEMORY = "memory"
"""The protocol of files that are in one process alone."""


def is_address(text: str) -> bool:
    """Whether it names a place by its protocol, as file:///data and s3://bucket/folder do."""
    return "://" in text


def resolve(address: str) -> tuple[AbstractFileSystem, str]:
    """The file system of an address, or of a path here, and the path in it; LecoError where there is none."""
    if not is_address(address):
        return LocalFileSystem(), os.path.abspath(address)  # noqa: PTH100 - which keeps links
    try:
        return url_to_fs(address)
    except ImportError as error:
        raise LecoError(
            f"'{shortened(address)}' needs a package that is not installed: {first_line(error)}."
        ) from error
    except Exception as error:  # those of the packages have no common class
        raise LecoError(f"'{shortened(address)}' cannot be opened: {first_line(error)}.") from error


def local_path(address: str) -> Path | None:
    """Where it is on this machine; None where it is not."""
    system, path = resolve(address)
    return Path(path) if isinstance(system, LocalFileSystem) else None


def is_in_memory(address: str) -> bool:
    """Whether no other process can see it."""
    protocols = resolve(address)[0].protocol
    return IN_MEMORY in ((protocols,) if isinstance(protocols, str) else protocols)


def address_of(system: AbstractFileSystem, path: str) -> str:
    """What `resolve` takes for it."""
    return path if isinstance(system, LocalFileSystem) else str(system.unstrip_protocol(path))


def inside(address: str, name: str) -> str:
    """The address of a name in a folder."""
    return f"{address.rstrip('/')}/{name}"


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """A block that asks a file system for something; LecoError where that fails."""
    try:
        yield
    except LecoError:
        raise
    except Exception as error:  # those of the packages have no common class
        raise LecoError(f"'{shortened(address, 200)}' cannot be reached: {first_line(error)}.") from error


@contextmanager
def opened(address: str) -> Iterator[BinaryIO]:
    """A block that reads a file, packed by gzip or not; LecoError says why it cannot be read."""
    system, path = resolve(address)
    if isinstance(system, LocalFileSystem):
        with open_bytes(Path(path)) as file:
            yield file
        return
    with reading(address), system.open(path, "rb") as remote:
        yield unpacked(remote, path)


@contextmanager
def placed(address: str) -> Iterator[Path]:
    """A path on this machine to write to, which becomes the file at `address`, whole or not at all."""
    system, path = resolve(address)
    if isinstance(system, LocalFileSystem):
        with writing(Path(path).parent), atomic_path(Path(path)) as temporary:
            yield temporary
        return
    with TemporaryDirectory(prefix=TEMPORARY) as folder:
        file = Path(folder) / posixpath.basename(path)
        yield file
        with reaching(address):
            parent = posixpath.dirname(path)
            stand_in = f"{parent}/{TEMPORARY}{token_hex(8)}"
            system.makedirs(parent, exist_ok=True)
            system.put_file(str(file), stand_in)
            system.mv(stand_in, path)
