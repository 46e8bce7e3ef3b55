"""Where a data set comes from: `load_data`."""

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from leco.data.assemble import from_tables
from leco.data.demo import DEMOS
from leco.data.given import DataSource, given_tables, is_in_memory, name_of_source
from leco.data.glue import load_glue
from leco.data.hub import hub_tables, is_saved, saved_tables
from leco.data.opened import stem_of, suffix_of
from leco.data.readers import READERS, read_table
from leco.data.splits import cut
from leco.data.tables import Table
from leco.data.types import CALIBRATION, TextData
from leco.display import listed, shortened
from leco.errors import LecoError, parameter, unknown_name
from leco.options import check_names, fill, option, taking, validate
from leco.progress import say
from leco.provenance import KNOWN
from leco.settings import SourceOptions

logger = logging.getLogger(__name__)

PARTS = {
    "train": ("train", "training"),
    "dev": ("dev", "validation", "valid", "val", "eval", "evaluation"),
    "test": ("test", "testing"),
    CALIBRATION: (CALIBRATION,),
}
"""The names of files and splits, in small letters."""
HUB_NAME = re.compile(r"[\w-][\w.-]{0,95}(/[\w-][\w.-]{0,95})?")
REMEDY = f"Give a file ({', '.join(READERS)}) or a folder with train.* instead."


@dataclass(frozen=True)
class Cuts:
    """How the rows of a data set are cut into parts."""

    train_rows: int | None = option(None, "Keep so many training rows, a stratified sample; None is all.", minimum=1)
    split_seed: int = option(0, "Seed of all cuts; a whole number from 0.", minimum=0, maximum=2**32 - 1)
    calibration_share: float | None = option(
        0.0,
        "Share of the training rows, or of published dev rows, that is set aside, 0 to 0.5; None is a tenth where "
        "there are rows enough.",
        minimum=0,
        maximum=0.5,
    )

    def __post_init__(self) -> None:
        validate(self)


@taking(Cuts(), SourceOptions())
def load_data(source: DataSource, *, log: Callable[[str], None] = logger.info, **options: Any) -> TextData:
    """The data set `source`: "glue/TASK", "demo/rotten_tomatoes", a file, a folder, a data set's name on the Hub, or in
    memory a pandas DataFrame, a `datasets.Dataset` or `DatasetDict`, or a dictionary of such tables.

    A file (.csv .tsv .jsonl .json .parquet, also with .gz) is cut 80/10/10 into train, dev and test, as is a table; a
    folder has train.* and optionally dev|validation|valid|val|eval.*, test.* and calibration.* of those formats, or is
    one that `save_to_disk` wrote; see `from_tables` for what is cut where one is missing, and `load_glue` for GLUE and
    `glue_dir` (write "./glue/..." for a folder of your own that is named so).
    `train_rows` keeps that many training rows, sampled with the labels' proportions. `calibration_share` of these
    rows are set aside to certify early answers, None being a tenth where there are rows enough; of a data set that is
    known by its name, whose splits are published, that share of dev. All cuts depend on `split_seed` alone, which
    should stay the same when training seeds change. `log` receives lines for the user.
    LecoError for everything that is wrong with the source, the columns, the texts or the labels.
    """
    check_names([Cuts(), SourceOptions()], options)
    cuts, where = fill(Cuts(), options), fill(SourceOptions(), options)
    name, seed, share = name_of_source(source), cuts.split_seed, cuts.calibration_share
    if is_known(source):
        data = load_known(name, where, seed)
        data = set_aside(data, round((share or 0) * len(data.dev)), seed)
    else:
        tables = tables_of(source, where)
        if "train" not in tables:
            raise LecoError(f"'{name}' has no rows to train on, only {' and '.join(tables)}. {REMEDY}")
        data = from_tables(name, tables, where, split_seed=seed, calibration_share=share, log=log)
    if cuts.train_rows is None or cuts.train_rows >= len(data.train):
        return data
    return replace(data, train=cut(data.train, [cuts.train_rows], seed)[0])


def is_known(source: DataSource) -> bool:
    """Whether a data set is known by its name, with its columns and splits."""
    return isinstance(source, str) and source.partition("/")[0] in KNOWN


def load_known(source: str, where: SourceOptions, split_seed: int = 0) -> TextData:
    """The data set of that name, "glue/TASK" or "demo/NAME"; LecoError where there is none, or columns are named."""
    if where.text_columns or where.label_column:
        names = f"{parameter('text_columns')} and {parameter('label_column')}"
        raise LecoError(f"'{source}' has its own columns: leave out {names}.")
    kind, _, name = source.partition("/")
    if kind == "glue":
        return replace(load_glue(name, where.glue_dir, split_seed), source=SourceOptions(glue_dir=where.glue_dir))
    if name not in DEMOS:
        raise unknown_name("demo data set", name, DEMOS)
    return DEMOS[name](split_seed)


def set_aside(data: TextData, rows: int, split_seed: int = 0) -> TextData:
    """A data set with published splits, of whose dev rows so many are for calibration."""
    if not rows:
        return data
    calibration, dev = cut(data.dev, [rows], split_seed)
    return replace(data, dev=dev, calibration=calibration)


def tables_of(source: DataSource, where: SourceOptions) -> dict[str, Table]:
    """The tables "train", "dev", "test" and "calibration" of a source; a single one, such as a file, is "train"."""
    if not isinstance(source, str | Path):
        return _parts(name_of_source(source), given_tables(source))
    name, path = str(source), Path(source)
    if is_in_memory(name):
        raise LecoError(f"The data {name} were in a program's memory. Give {parameter('data')}.")
    if os.path.isdir(name):  # noqa: PTH112 - Path's may raise
        return _parts(name, saved_tables(path)) if is_saved(path) else _folder_tables(path, where)
    if os.path.exists(name) or suffix_of(path) in READERS:  # noqa: PTH110
        return {"train": read_table(path, where)}
    hub_name, _, config = name.partition(":")
    if not HUB_NAME.fullmatch(hub_name):
        raise LecoError(f"There is no file or folder '{shortened(name, 200)}'. Check the path.")
    return _parts(name, hub_tables(hub_name, where.data_config or config or None, remedy=REMEDY))


def _parts(name: str, splits: Mapping[str, Table]) -> dict[str, Table]:
    """The splits of a data set by our names of them."""
    tables = {}
    for part, names in PARTS.items():
        found = [split for split in splits if split.lower() in names]
        if len(found) > 1:
            raise LecoError(
                f"The data set '{name}' has more than one {part} split: {', '.join(found)}. Keep one of them."
            )
        if found:
            tables[part] = splits[found[0]]
    if not tables:
        raise LecoError(
            f"The data set '{name}' has none of the splits train, validation and test: {', '.join(splits)}. {REMEDY}"
        )
    _tell_unused(name, [split for split in splits if split.lower() not in chain(*PARTS.values())])
    return tables


def _tell_unused(name: str, unused: Sequence[str]) -> None:
    """Say what is there and is none of the parts, lest it was meant to be one."""
    if unused:
        known = "; ".join(" or ".join(names) for names in PARTS.values())
        say(f"warning: '{shortened(name, 200)}': {listed(unused)} not used. Parts are called {known}.")


def _readable(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if suffix_of(path) in READERS)
    except OSError as error:
        raise LecoError(f"The folder '{folder}' cannot be read: {error.strerror}.") from error


def _folder_tables(folder: Path, where: SourceOptions) -> dict[str, Table]:
    files = part_files(folder)
    if not files:
        raise LecoError(f"The folder '{folder}' has no file train.*, dev.* or test.* ({', '.join(READERS)}).")
    _tell_unused(str(folder), [path.name for path in _readable(folder) if path not in files.values()])
    return {part: read_table(path, where) for part, path in files.items()}


def part_files(folder: Path) -> dict[str, Path]:
    """The file of each part that a folder has; LecoError where there are two of one."""
    files, readable = {}, _readable(folder)
    for part, names in PARTS.items():
        found = [path for path in readable if stem_of(path) in names]
        if len(found) > 1:
            names_found = ", ".join(path.name for path in found)
            raise LecoError(f"The folder '{folder}' has more than one {part} file: {names_found}. Keep one of them.")
        if found:
            files[part] = found[0]
    return files
