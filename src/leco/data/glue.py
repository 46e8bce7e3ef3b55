"""GLUE with the paper's splits (section 6.1), from the files of the GLUE download or from the Hub."""

import os
from pathlib import Path

import numpy as np

from leco.data.delimited import split_cells
from leco.data.encodings import text_lines
from leco.data.glue_tasks import GLUE_TASKS, GlueTask
from leco.data.hub import hub_tables
from leco.data.labels import is_float32
from leco.data.opened import open_bytes
from leco.data.splits import cut
from leco.data.tables import Table, is_blank
from leco.data.types import Split, TextData
from leco.display import shortened
from leco.errors import LecoError, parameter, unknown_name
from leco.problems import PROBLEMS

HUB_NAME = "nyu-mll/glue"
DEV_ROWS = 1000


def remedy() -> str:
    """What to do where a task is not there or broken."""
    return f"Give the folder of a GLUE download as {parameter('glue_dir')} or $GLUE_DIR."


def load_glue(name: str, glue_dir: Path | None = None, split_seed: int = 0) -> TextData:
    """The GLUE task `name` ("rte", "SST-2", ...) from `glue_dir`, else from $GLUE_DIR, else from the Hub.

    Halved tasks have their original dev set cut into dev and test at random; of the others 1,000 random training
    rows become dev, and the original dev set is test. Rows that lack a cell, as in some copies of QQP, are dropped.
    LecoError if the task is unknown, a file is missing, a label is none of the task's, or the Hub cannot be reached.
    """
    key = name.lower().replace("-", "").replace("_", "")
    if key not in GLUE_TASKS:
        raise unknown_name("GLUE task", name, GLUE_TASKS)
    task = GLUE_TASKS[key]
    folder = glue_dir or os.environ.get("GLUE_DIR")
    train, original = _from_files(task, Path(folder)) if folder else _from_hub(key, task)
    if task.halved:
        dev, test = cut(original, [len(original) // 2], split_seed, stratify=False)
    else:
        dev, train = cut(train, [DEV_ROWS], split_seed, stratify=False)
        test = original
    pair = len(task.text_columns) == 2
    return TextData(f"glue/{key}", train, dev, test, task.label_names, task.problem_type, task.metric, pair)


def _from_files(task: GlueTask, folder: Path) -> tuple[Split, Split]:
    def read(part: str) -> Split:
        path = folder / task.folder / f"{part}.tsv"
        if not path.is_file():
            raise LecoError(f"The GLUE folder '{folder}' has no '{task.folder}/{part}.tsv'. {remedy()}")
        return _split(task, read_glue_file(path, task), task.text_columns, task.label_column, task.codes)

    return read("train"), _grouped([read(part) for part in task.dev_files])


def _from_hub(key: str, task: GlueTask) -> tuple[Split, Split]:
    tables = hub_tables(HUB_NAME, key, remedy=remedy())

    def read(part: str) -> Split:
        return _split(task, tables[part], task.hub_columns or task.text_columns, "label", task.label_names)

    return read("train"), _grouped([read(part.replace("dev", "validation")) for part in task.dev_files])


def read_glue_file(path: Path, task: GlueTask) -> Table:
    """The table in a file of the GLUE download: tab-separated, no quoting; rows that are too short are left out."""
    with open_bytes(path) as file:
        rows = split_cells(path.name, text_lines(file, path.name), "\t", quoted=False)
        numbered = [row for row in rows if not is_blank(row[1])]
    header = list(task.header or (numbered.pop(0)[1] if numbered else ()))
    whole = [(number, cells[: len(header)]) for number, cells in numbered if len(cells) >= len(header)]
    columns = dict(zip(header, map(list, zip(*(cells for _, cells in whole), strict=True)), strict=False))
    return Table(f"{task.folder}/{path.name}", columns, [number for number, _ in whole], "line")


def _split(task: GlueTask, table: Table, text_columns: tuple[str, ...], label: str, codes: tuple[str, ...]) -> Split:
    texts = [table.column(column, remedy()) for column in text_columns]
    values = table.column(label, remedy())
    labels = np.empty(len(values), dtype=PROBLEMS[task.problem_type].dtype)
    for row, value in enumerate(values):
        try:
            number = codes.index(value) if codes else float(value)
            if not is_float32(number):
                raise ValueError
            labels[row] = number
        except ValueError as error:
            legal = ", ".join(codes) or "numbers"
            raise LecoError(
                f"{table.where(row)}: the label '{shortened(value)}' is none of {legal}. {remedy()}"
            ) from error
    return Split(list(zip(*texts, strict=True)) if len(texts) == 2 else texts[0], labels)


def _grouped(parts: list[Split]) -> Split:
    """The parts as one split; if there are several, `groups` says which part a row is of."""
    groups = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    texts = [text for part in parts for text in part.texts]
    return Split(texts, np.concatenate([part.labels for part in parts]), groups if len(parts) > 1 else None)
