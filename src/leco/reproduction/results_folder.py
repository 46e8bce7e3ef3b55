"""The folder of results: a JSON Lines file for each table, and the files of experiments that run."""

import json
import shutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from leco.errors import LecoError
from leco.files import write_text
from leco.reproduction.experiment import Experiment, check_own, check_record, portable

Record = dict[str, Any]


class ResultsFolder:
    """The records of finished experiments, and the files of those that run.

    `root` is the folder, in which `TABLE.jsonl` has one record a line. A record is found whichever file it is in, so
    that an experiment which several tables share runs once, for the first of them. While it runs, an experiment has
    `working/NAME/` to itself, and its log is `working/NAME.log`. `outputs/NAME.npz` keeps the outputs of all exits of a
    cell's model.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __contains__(self, experiment: Experiment) -> bool:
        """Whether an experiment is finished; LecoError where a record of its name is of another one."""
        return self._found(experiment) is not None

    def __getitem__(self, experiment: Experiment) -> Record:
        """The record of an experiment; LecoError where it has not been run, or the record is of another one."""
        record = self._found(experiment)
        if record is None:
            raise LecoError(f"'{self.root}' has no record of {experiment.name}.")
        return record

    def _found(self, experiment: Experiment) -> Record | None:
        record = self.records().get(experiment.name)
        if record is not None:
            check_own(experiment, record, self.root)
        return record

    def records(self) -> dict[str, Record]:
        """All records by the experiments' names; of two with the same name the first."""
        found: dict[str, Record] = {}
        for path in sorted(self.root.glob("*.jsonl")):
            if not path.name.startswith("."):  # another process is writing it
                found = {**read_records(path), **found}
        return found

    def append(self, table: str, records: Mapping[Experiment, Record]) -> int:
        """Add records to the table's file, each file whole or not at all, and give their number.

        Those of experiments that are finished already are left out. Several processes may append at the same time.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(self.root / ".results.lock"):
            lines: dict[Path, list[str]] = {}
            for experiment, record in records.items():
                if experiment not in self:
                    path = self.root / f"{experiment.file(table)}.jsonl"
                    lines.setdefault(path, []).append(json.dumps(record, ensure_ascii=False) + "\n")
            for path, added in lines.items():
                before = path.read_text(encoding="utf-8") if path.exists() else ""
                if before and not before.endswith("\n"):
                    before += "\n"
                write_text(path, before + "".join(added))
        return sum(map(len, lines.values()))

    def add_file(self, path: Path) -> int:
        """Append the records of a JSON Lines file, of experiments that ran elsewhere, and give the number of new ones.

        They go to the file of the same name, which is not hidden here. LecoError for a file that cannot be read, or a
        line that is no record.
        """
        table = path.stem.lstrip(".")
        return self.append(table, {check_record(one): portable(one) for one in read_records(path).values()})

    def working(self, experiment: Experiment) -> Path:
        """The folder of an experiment while it runs."""
        return self.root / "working" / experiment.name

    def model(self, experiment: Experiment) -> Path:
        """The folder in which an experiment searches or trains."""
        return self.working(experiment) / "model"

    def has_model(self, experiment: Experiment) -> bool:
        """Whether an experiment's trained model is there; it stays only where something else needs it."""
        return (self.model(experiment) / "config.json").is_file()

    def outputs(self, experiment: Experiment) -> Path:
        """The file of the outputs of all exits of a cell's model, on dev and test."""
        return self.root / "outputs" / f"{experiment.name}.npz"

    def log(self, experiment: Experiment) -> Path:
        """The log of an experiment; it stays where the experiment failed."""
        return self.root / "working" / f"{experiment.name}.log"

    def lock(self, experiment: Experiment) -> FileLock:
        """The lock of an experiment's working folder."""
        folder = self.working(experiment)
        folder.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(folder.with_name(f".{folder.name}.lock"))

    def clear(self, experiment: Experiment) -> None:
        """Remove the working folder of an experiment."""
        shutil.rmtree(self.working(experiment), ignore_errors=True)


def read_records(path: Path) -> dict[str, Record]:
    """The records in a JSON Lines file by the experiments' names; LecoError where it, or a line of it, is none."""
    try:
        about = path.stat()
        return _read(path, about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise LecoError(f"The file '{path}' cannot be read: {error.strerror}.") from error


@lru_cache(maxsize=64)
def _read(path: Path, size: int, changed: int) -> dict[str, Record]:
    """Read a file; once for each state that it is seen in."""
    found: dict[str, Record] = {}
    for number, line in _lines(path):
        try:
            record = json.loads(line)
            found.setdefault(check_record(record).name, record)
        except (LecoError, json.JSONDecodeError) as error:
            raise LecoError(f"'{path}', line {number}: {error}") from error
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not empty, with their numbers from 1."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LecoError(f"The file '{path}' is not in UTF-8: {error}") from error
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
