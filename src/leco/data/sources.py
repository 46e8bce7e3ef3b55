"""Where a data set comes from: `load_data`."""

import logging
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from leco.data.assemble import from_tables
from leco.data.demo import DEMOS
from leco.data.glue import load_glue
from leco.data.hub import hub_tables
from leco.data.readers import READERS, read_table
from leco.data.splits import cut
from leco.data.tables import Table
from leco.data.types import TextData
from leco.display import shortened
from leco.errors import LecoError, parameter, unknown_name
from leco.options import fill, taking
from leco.provenance import KNOWN
from leco.settings import SourceOptions

logger = logging.getLogger(__name__)

PARTS = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
HUB_NAME = re.compile(r"[\w-][\w.-]{0,95}(/[\w-][\w.-]{0,95})?")
REMEDY = f"Give a file ({', '.join(READERS)}) or a folder with train.* instead."


@taking(SourceOptions())
def load_data(
    source: str,
    *,
    train_rows: int | None = None,
    split_seed: int = 0,
    log: Callable[[str], None] = logger.info,
    **options: Any,
) -> TextData:
    """The data set `source`: "glue/TASK", "demo/rotten_tomatoes", a file, a folder, or a data set's name on the Hub.

    A file (.csv .tsv .jsonl .json .parquet) is cut 80/10/10 into train, dev and test; a folder has train.* and
    optionally dev|validation|valid|val.* and test.* of those formats; see `from_tables` for what is cut where one is
    missing, and `load_glue` for GLUE and `glue_dir` (write "./glue/..." for a folder of your own that is named so).
    `train_rows` keeps that many training rows, sampled with the labels' proportions. All cuts depend on `split_seed`
    only, which should stay the same when training seeds change. `log` receives lines for the user.
    LecoError for everything that is wrong with the source, the columns, the texts or the labels.
    """
    where = fill(SourceOptions(), options, strict=True)
    if is_known(source):
        data = load_known(source, where, split_seed)
    else:
        tables = tables_of(source)
        if "train" not in tables:
            raise LecoError(f"'{source}' has no rows to train on, only {' and '.join(tables)}. {REMEDY}")
        data = from_tables(source, tables, where, split_seed=split_seed, log=log)
    if train_rows is None or train_rows >= len(data.train):
        return data
    if train_rows < 1:
        raise LecoError(f"{parameter('train_rows')} must be at least 1, not {train_rows}.")
    return replace(data, train=cut(data.train, [train_rows], split_seed)[0])


def is_known(source: str) -> bool:
    """Whether a data set is known by its name, with its columns and splits."""
    return source.partition("/")[0] in KNOWN


def load_known(source: str, where: SourceOptions, split_seed: int = 0) -> TextData:
    """The data set of that name, "glue/TASK" or "demo/NAME"; LecoError where there is none, or columns are named."""
    if where.text_columns or where.label_column:
        names = f"{parameter('text_columns')} and {parameter('label_column')}"
        raise LecoError(f"'{source}' has its own columns: leave out {names}.")
    kind, _, name = source.partition("/")
    if kind == "glue":
        return load_glue(name, where.glue_dir, split_seed)
    if name not in DEMOS:
        raise unknown_name("demo data set", name, DEMOS)
    return DEMOS[name](split_seed)


def tables_of(source: str) -> dict[str, Table]:
    """The tables "train", "dev" and "test" of a folder or of a data set of the Hub, or of a file, as "train"."""
    path = Path(source)
    if os.path.isdir(source):  # noqa: PTH112 - Path's may raise
        return _folder_tables(path)
    if os.path.exists(source) or path.suffix.lower() in READERS:  # noqa: PTH110
        return {"train": read_table(path)}
    if not HUB_NAME.fullmatch(source):
        raise LecoError(f"There is no file or folder '{shortened(source, 200)}'. Check the path.")
    splits = hub_tables(source, remedy=REMEDY)
    tables = {part: splits[name] for part, names in PARTS.items() for name in reversed(names) if name in splits}
    if not tables:
        known = ", ".join(splits)
        raise LecoError(f"The data set '{source}' has none of the splits train, validation and test: {known}. {REMEDY}")
    return tables


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise LecoError(f"The folder '{folder}' cannot be read: {error.strerror}.") from error


def _folder_tables(folder: Path) -> dict[str, Table]:
    tables = {}
    for part, names in PARTS.items():
        found = sorted(path for path in _files(folder) if path.stem in names and path.suffix.lower() in READERS)
        if len(found) > 1:
            listed = ", ".join(path.name for path in found)
            raise LecoError(f"The folder '{folder}' has more than one {part} file: {listed}. Keep one of them.")
        if found:
            tables[part] = read_table(found[0])
    if not tables:
        raise LecoError(f"The folder '{folder}' has no file train.*, dev.* or test.* ({', '.join(READERS)}).")
    return tables
