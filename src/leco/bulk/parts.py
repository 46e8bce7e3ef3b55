"""The parts of a bulk job: which files they are, and by which names their answers go."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import has_magic

from leco.bulk.options import KINDS, PARQUET
from leco.bulk.places import address_of, is_address, local_path, reaching, resolve
from leco.data.opened import PACKED, suffix_of
from leco.display import listed, shortened
from leco.errors import LecoError, parameter

HIDDEN = (".", "_")
"""How names begin that no reader of folders takes for data: _SUCCESS, .part.crc."""
CHANGES = ("ETag", "etag", "md5Hash", "md5", "mtime", "LastModified", "last_modified", "updated", "created")
"""What file systems know of a file by which a change is seen, the surest first."""


@dataclass(frozen=True)
class Part:
    """A file with texts.

    Attributes:
        name: where it is below the folder that all have in common; its answers have the same name.
        address: where it is.
        kind: how it is written, one of `KINDS`.
        mark: what changes when its content does.

    """

    name: str
    address: str
    kind: str
    mark: str


def are_parts(inputs: Sequence[str]) -> bool:
    """Whether the inputs are those of a bulk job: several, a folder, a pattern or an address; not one file."""
    if len(inputs) != 1:
        return len(inputs) > 1
    one, path = inputs[0], local_path(inputs[0])
    if is_address(one) or path is None:
        return True
    return path.is_dir() or (has_magic(one) and not path.exists())


def find_parts(inputs: Sequence[str], output: str, format: str | None = None) -> tuple[list[Part], list[str]]:
    """The parts in some files, folders and patterns, by name, without those in `output`; and what is no part there.

    LecoError where there is none, an input is missing or no part, `output` is their folder, they are written in
    several ways, or lie in several file systems.
    """
    systems, bases, found, named = [], [], {}, set()
    for one in inputs:
        system, path = resolve(one)
        base, files = _files(system, path, one)
        systems.append(system)
        bases.append(base)
        found.update(files)
        named |= {path} & {*files}
    if any(system != systems[0] for system in systems):
        raise LecoError("The inputs lie in several file systems. Answer those of each in a call of their own.")
    root = posixpath.commonpath(bases)
    target, folder = resolve(output)
    if target == systems[0]:
        if folder == root:
            raise LecoError(
                f"{parameter('output')} '{shortened(output)}' is the folder of the texts. Give another one."
            )
        found = {path: about for path, about in found.items() if not path.startswith(f"{folder}/")}
    parts, others = [], []
    for path, about in sorted(found.items()):
        kind = format or _kind(path)
        if kind is None and path in named:
            raise LecoError(f"'{posixpath.basename(path)}' has an unsupported suffix. Parts are {_written()}.")
        name = posixpath.relpath(path, root)
        if kind is None:
            others.append(name)
        else:
            parts.append(Part(name, address_of(systems[0], path), kind, _mark(about)))
    _check(parts, inputs)
    return parts, others


def _files(system: AbstractFileSystem, path: str, given: str) -> tuple[str, dict[str, Any]]:
    """The folder that an input means, and what is known of each file in it that is not hidden."""
    with reaching(given):
        if system.isdir(path):
            return path, _visible(system.find(path, detail=True), path)
        if system.isfile(path):
            return posixpath.dirname(path), {path: system.info(path)}
        if has_magic(path):
            steps = path.split("/")
            base = "/".join(steps[: next(place for place, step in enumerate(steps) if has_magic(step))])
            return base, _visible(dict(_matching(system, path)), base)
    raise LecoError(f"'{shortened(given, 200)}' does not exist. Check the path.")


def _matching(system: AbstractFileSystem, pattern: str) -> Iterator[tuple[str, Any]]:
    """The files that match, and those in folders that do."""
    for path, about in system.glob(pattern, detail=True).items():
        if about["type"] == "directory":
            yield from system.find(path, detail=True).items()
        else:
            yield path, about


def _visible(files: Mapping[str, Any], base: str) -> dict[str, Any]:
    return {path: about for path, about in files.items() if not is_hidden(posixpath.relpath(path, base))}


def is_hidden(name: str) -> bool:
    """Whether a name in a folder is, or is in a folder, that no reader takes for data."""
    return any(step.startswith(HIDDEN) for step in name.split("/"))


def _kind(path: str) -> str | None:
    """How a file is written, by its suffix; Parquet is never packed."""
    kind = suffix_of(PurePosixPath(path)).removeprefix(".")
    return kind if kind in KINDS and (kind != PARQUET or not path.lower().endswith(PACKED)) else None


def _mark(about: Mapping[str, Any]) -> str:
    """What changes when a file does, by what its file system knows of it."""
    return f"{about.get('size')} {next((about[name] for name in CHANGES if about.get(name) is not None), '')}"


def _check(parts: Sequence[Part], inputs: Sequence[str]) -> None:
    """LecoError unless there are parts, all of one kind."""
    if not parts:
        raise LecoError(f"There are no parts in {listed([f'{one!r}' for one in inputs])}. Parts are {_written()}.")
    kinds = Counter(part.kind for part in parts)
    if len(kinds) > 1:
        examples = [next(part.name for part in parts if part.kind == kind) for kind in kinds]
        raise LecoError(
            f"The parts are written in several ways: {listed(examples)}. Give those of one kind, such as "
            f"'{shortened(inputs[0])}/**/*.{kinds.most_common(1)[0][0]}', or {parameter('format')}."
        )


def _written() -> str:
    return f"files that end with {', '.join(f'.{kind}' for kind in KINDS)}, all but Parquet also with {PACKED}"
