"""Labelled texts for a model that is trained: all of them are its test set, unless it was trained on some of them."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from leco.data.assemble import Labelled, labelled
from leco.data.encodings import is_utf8
from leco.data.given import DataSource, name_of_source
from leco.data.labels import Labels
from leco.data.sources import is_known, load_known, part_files, set_aside, tables_of
from leco.data.splits import cut
from leco.data.tables import Table
from leco.data.types import CALIBRATION, Split, TextData
from leco.errors import LecoError
from leco.options import fill
from leco.provenance import Provenance
from leco.settings import SourceOptions
from leco.sketches import MADE, recognized

logger = logging.getLogger(__name__)
Log = Callable[[str], None]
TESTING = ("test", "dev", "train", CALIBRATION)
"""The parts that may be the test set, in this order."""


def load_held_out(
    source: DataSource,
    labels: Labels,
    trained_on: Provenance | None,
    where: SourceOptions,
    *,
    borrow_dev: bool = True,
    log: Log = logger.info,
) -> TextData:
    """The data set `source` for a model that knows these `labels`, and was `trained_on` those data.

    The source that the model was trained on, known by its content, is cut as it was for the training. Of any other the
    rows named test are the test split or, where no part is named so, those named dev, or else all; its dev split, on
    which nothing but settings is chosen, is its own or else, with `borrow_dev`, that of the training, where that can
    still be read; if not, it has no rows. Nothing is trained: the training split is the test split. Lines to `log`
    say what was done, and what share of the test set the model was made with.
    LecoError as `leco.data.load_data`, and for a label that the model does not know.
    """
    name = name_of_source(source)
    if is_known(source):
        data = _known_as_trained(name, where, trained_on)
        if trained_on is not None and data.name != trained_on.name:
            _warn_of_known_rows(data.name, data.test, trained_on, log)
        return data
    found = _labelled(name, tables_of(source, where), where, labels, log)
    hashes = trained_on.hashes if trained_on is not None else {}
    if found.hashes == hashes:
        return _as_trained(found, 0 if trained_on is None else trained_on.calibration, log)
    part = next(part for part in TESTING if part in found.splits)
    test = found.splits[part]
    log(f"'{name}': {_rows(test)} {'are' if len(test) > 1 else 'is'} the test set{_named(part, found)}.")
    _warn_of_known_rows(name, test, trained_on, log)
    dev = found.splits["dev"] if part == "test" and "dev" in found.splits else None
    if dev is None and borrow_dev:
        dev = _dev_of_training(trained_on, labels, log)
    dev = test.take([]) if dev is None else dev
    return found.data(test, dev, test, found.splits.get(CALIBRATION))


def _labelled(name: str, tables: Mapping[str, Table], where: SourceOptions, labels: Labels, log: Log) -> Labelled:
    """The texts and labels of all parts or, where other parts have labels that the model does not know, of the last."""
    try:
        return labelled(name, tables, where, labels=labels, log=log)
    except LecoError:
        if len(tables) == 1:
            raise
    last = next(part for part in TESTING if part in tables)
    return labelled(name, {last: tables[last]}, where, labels=labels, log=log)


def source_for(trained_on: Provenance | None, given: Mapping[str, Any], source: DataSource) -> SourceOptions:
    """The settings by which `source` is read for a model `trained_on` some data: those of then, or those `given`.

    A data set that is known by its name has its own, but for GLUE's folder, if that is still there; and the encoding of
    the training's files is that of a file, or of a folder's, which are not UTF-8, and of nothing else.
    """
    kept = SourceOptions() if trained_on is None else trained_on.source
    if kept.glue_dir is not None and not kept.glue_dir.is_dir():
        kept = replace(kept, glue_dir=None)
    if is_known(source):
        kept = SourceOptions(glue_dir=kept.glue_dir)
    if kept.encoding is not None and all(map(is_utf8, _files_of(source))):
        kept = replace(kept, encoding=None)
    return fill(kept, given)


def _files_of(source: DataSource) -> list[Path]:
    """The file itself, or those of a folder's parts.

    There are none of what is in memory or on the Hub, nor of what can be read but once: a pipe, or the standard input.
    """
    if not isinstance(source, str | Path):
        return []
    if os.path.isdir(source):  # noqa: PTH112 - Path's may raise
        return list(part_files(Path(source)).values())
    return [Path(source)] if os.path.isfile(source) and str(source) != "-" else []  # noqa: PTH113


def in_halves(data: TextData, log: Log = logger.info) -> TextData:
    """The `data` with half of their test set as the dev split, to choose settings on it; `log` is told so."""
    dev, test = cut(data.test, [len(data.test) // 2], 0)
    log(f"'{data.name}': settings are chosen on {_rows(dev)}, and measured on the other {_rows(test)}.")
    return replace(data, dev=dev, test=test)


def _known_as_trained(name: str, where: SourceOptions, trained_on: Provenance | None) -> TextData:
    """A data set that is known by its name, however written, with the calibration rows of a training on it."""
    data = load_known(name, where)
    return set_aside(data, trained_on.calibration) if trained_on is not None and trained_on.name == data.name else data


def _as_trained(found: Labelled, calibration: int, log: Log) -> TextData:
    data = found.cut(0, calibration)
    if "test" not in found.splits:
        log(
            f"'{found.name}' is what the model was trained on: it is cut as it was then, and the {_rows(data.test)} "
            "that were set aside are the test set."
        )
    return data


def _warn_of_known_rows(source: str, test: Split, trained_on: Provenance | None, log: Log) -> None:
    if trained_on is None:
        log("The model does not say on what it was trained: if on these rows, scores say nothing about other texts.")
    elif known := [part for part, mark in trained_on.hashes.items() if mark == test.fingerprint and part != "test"]:
        log(
            f"warning: '{source}' has the {known[0]} rows of '{trained_on.name}', on which the model was made: its "
            "scores on them say little about other texts."
        )
    elif (found := recognized(trained_on.seen, test.texts)).hits:
        sentence = found.sentence(f"'{source}'", MADE)
        log(f"warning: {sentence} Scores on them say little about other texts.")


def _dev_of_training(trained_on: Provenance | None, labels: Labels, log: Log) -> Split | None:
    """The dev split of the training, or None, with a line that says why."""
    if trained_on is None:
        return None
    name = trained_on.name
    where = source_for(trained_on, {}, name)
    try:
        if is_known(name):
            return _known_as_trained(name, where, trained_on).dev
        found = labelled(name, tables_of(name, where), where, labels=labels, log=logger.info)
        if found.hashes != trained_on.hashes:
            raise LecoError(f"'{name}' is no longer what the model was trained on.")
    except LecoError as error:
        log(f"No dev rows, on which settings are chosen: {error}")
        return None
    log(f"Dev rows, on which settings are chosen, are those of '{name}', as in the training.")
    return found.cut(0, trained_on.calibration).dev


def _rows(split: Split) -> str:
    return f"{len(split):,} rows" if len(split) > 1 else "1 row"


def _named(part: str, found: Labelled) -> str:
    return f", those of its part '{part}'" if part != "train" or len(found.splits) > 1 else ""
