"""The output folder of a bulk job: whose it is, and which of its parts are answered already."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from leco.bulk.job import Columns, Record, Shape
from leco.bulk.parts import Part, is_hidden
from leco.bulk.places import inside, local_path, placed, reaching, resolve
from leco.display import shortened
from leco.errors import LecoError, parameter
from leco.files import TEMPORARY, format_json, parse_json
from leco.folders import holding
from leco.shapes import checked

KEPT = "_leco"
"""The folder, which readers of the output pass over, with `job.json` and the record of each part that is answered."""
READERS = 16
"""Small files that are read at a time, since one that is far away takes a while."""


@dataclass(frozen=True)
class Manifest:
    """What makes the parts of an output one job's: other settings are refused there.

    Attributes:
        settings: the model, by its content, and the settings on which answers depend; `text_columns` is empty until
            a part with rows says them.
        part: the part in which the columns were seen; nothing until one says them.
        columns: the columns of all parts.
        added: the names in the files of the columns that answers have.

    """

    settings: dict[str, Any]
    part: str = ""
    columns: Columns = ()
    added: dict[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """The columns of all parts."""
        return Shape(self.part, self.columns)


class Output:
    """A folder on this machine, or at an address, that gets the answers of a job, part by part."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._system, self._path = resolve(address)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block that alone writes there, where there are locks; LecoError where it is no free folder."""
        folder = local_path(self.address)
        self._check()
        with nullcontext() if folder is None else holding(folder):
            try:
                _sweep(folder)
                yield
            finally:
                _sweep(folder)

    def manifest(self) -> Manifest | None:
        """That of the job whose parts are there."""
        address = inside(self.address, f"{KEPT}/job.json")
        found = self._read([address]).get(address)
        if found is None:
            return None
        return checked(Manifest, parse_json(found, f"The file '{address}'"), f"'{address}'")

    def claim(self, manifest: Manifest) -> None:
        """Make the folder this job's, with what was not known there before.

        LecoError where it has parts of another model, or by other settings.
        """
        before, settings = self.manifest(), json.loads(format_json(manifest.settings))
        if before is not None:
            self._check_settings(before, settings)
        if before != replace(manifest, settings=settings):
            self._write(f"{KEPT}/job.json", asdict(manifest))

    def _check_settings(self, before: Manifest, settings: Mapping[str, Any]) -> None:
        """LecoError where the settings are others than before, but for columns that were not known then."""
        changed = (name for name, value in settings.items() if before.settings.get(name) not in (value, []))
        if (name := next(changed, None)) is None:
            return
        other = f"other settings ({name}: {before.settings.get(name)!r} there, {settings[name]!r} now)"
        raise LecoError(
            f"{parameter('output')} '{shortened(self.address, 200)}' has parts "
            f"{'of another model' if name == 'model' else f'by {other}'}. Give a new folder."
        )

    def records(self, parts: Iterable[Part]) -> dict[str, Record]:
        """The records by name of the parts that are answered, be it of what their files were like before."""
        there = self._names()
        wanted = {inside(self.address, _record(one.name)): one.name for one in parts}
        found = self._read([one for one, name in wanted.items() if {name, _record(name)} <= there])
        return {
            wanted[one]: checked(Record, parse_json(text, f"The file '{one}'"), f"'{one}'")
            for one, text in found.items()
        }

    def without_input(self, parts: Iterable[Part]) -> list[str]:
        """The parts there whose input is gone."""
        mine = {part.name for part in parts}
        return sorted(name for name in self._names() if not is_hidden(name) and name not in mine)

    def keep(self, part: Part, record: Record) -> None:
        """Note that a part is answered, once it is there."""
        self._write(_record(part.name), asdict(record))

    def _check(self) -> None:
        if self._system.isfile(self._path):
            raise LecoError(f"{parameter('output')} '{shortened(self.address, 200)}' is a file. Give a folder.")
        names = self._names()
        if f"{KEPT}/job.json" not in names and any(not is_hidden(name) for name in names):
            raise LecoError(
                f"{parameter('output')} '{shortened(self.address, 200)}' holds something else. Give a new folder."
            )

    def _names(self) -> set[str]:
        """The files there, by their names below it."""
        with reaching(self.address):
            self._system.invalidate_cache()
            return {path[len(self._path.rstrip("/")) + 1 :] for path in self._system.find(self._path)}

    def _read(self, addresses: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of those that are there."""
        with reaching(self.address), ThreadPoolExecutor(READERS) as threads:
            found = [(one, threads.submit(self._system.cat_file, resolve(one)[1])) for one in addresses]
            return {one: text.result() for one, text in found if not isinstance(text.exception(), FileNotFoundError)}

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        with placed(inside(self.address, name)) as path:
            path.write_text(format_json(value, indent=2) + "\n", encoding="utf-8")


def _sweep(folder: Path | None) -> None:
    """Remove what processes that were killed had half written below a folder on this machine."""
    for left in () if folder is None else folder.rglob(f"{TEMPORARY}*"):
        left.unlink(missing_ok=True)


def _record(name: str) -> str:
    """Where the record of a part is."""
    return f"{KEPT}/parts/{name}.json"
