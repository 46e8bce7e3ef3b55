"""Tables to a data set: columns, labels, and the splits that are missing."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from leco.data.columns import find_columns, texts_of
from leco.data.label_values import TASK, has_labels
from leco.data.labels import Labels, learn_labels
from leco.data.splits import cut
from leco.data.tables import Table
from leco.data.types import CALIBRATION, Split, TextData
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.settings import SourceOptions

logger = logging.getLogger(__name__)
PARTS = ("train", "dev", "test", CALIBRATION)
SHARE = 10
"""The training rows for each row of a dev or test split that is cut from them."""
ENOUGH = 114
"""Calibration rows that can certify 2 % at 90 % confidence: fewer are not set aside by themselves."""
FEWEST_OF_LABEL = 3
"""Rows of a label that are cut into train, dev and test."""


@dataclass(frozen=True)
class Labelled:
    """The texts and labels of a source as they came: of `PARTS` those that there are.

    `source` has the settings by which they were read, also those that were guessed.
    """

    name: str
    splits: Mapping[str, Split]
    labels: Labels
    source: SourceOptions

    @property
    def hashes(self) -> dict[str, str]:
        """The fingerprint of each part."""
        return {part: split.fingerprint for part, split in self.splits.items()}

    def calibration_rows(self, share: float | None) -> int:
        """How many training rows are set aside to certify early answers.

        That is the `share` given or, for None, a tenth where dev is cut from them as well and a tenth is `ENOUGH`; none
        where there is a part for that already.
        """
        rows = len(self.splits.get("train", ()))
        if CALIBRATION in self.splits:
            return 0
        if share is None:
            tenth = rows // SHARE
            return tenth if "dev" not in self.splits and tenth >= ENOUGH else 0
        return round(share * rows)

    def cut(self, seed: int, calibration: int = 0) -> TextData:
        """The data set, with missing splits, and so many rows for calibration, cut from the others (`from_tables`).

        These are cut last, so that dev and test are the same with and without them.
        """
        return self.data(*_complete(self.splits, self.labels, seed, calibration))

    def data(self, train: Split, dev: Split, test: Split, calibration: Split | None = None) -> TextData:
        """The data set of these splits."""
        problem, names = self.labels.problem, self.labels.names
        pair = len(self.source.text_columns or ()) == 2
        data = TextData(self.name, train, dev, test, names, problem.name, problem.metric, pair)
        return replace(data, source=self.source, hashes=self.hashes, calibration=calibration)


def from_tables(
    name: str,
    tables: Mapping[str, Table],
    source: SourceOptions,
    *,
    split_seed: int = 0,
    calibration_share: float | None = 0.0,
    log: Callable[[str], None] = logger.info,
) -> TextData:
    """The data set of the tables "train" and, where there are any, "dev" and "test", to train on.

    The training rows say which columns are meant and which labels there are. A dev or test table without labels is
    left out, with a line to `log`. Missing splits are cut from the others, seeded and stratified: 10 % of the training
    rows each for dev and for test if both are missing, 10 % for dev, half of dev for test; and of the training rows the
    `calibration_share` (`Labelled.calibration_rows`), where there is no table "calibration".
    LecoError as `labelled` and `cut` say, and if a label has too few rows to be split.
    """
    found = labelled(name, tables, source, log=log)
    rows = found.calibration_rows(calibration_share)
    if rows and calibration_share is None:
        without = f"{parameter('calibration_share')} 0 trains on them"
        log(f"Calibration: {rows:,} rows are set aside to say what early answers cost ({without})")
    return found.cut(split_seed, rows)


def labelled(
    name: str,
    tables: Mapping[str, Table],
    source: SourceOptions,
    *,
    labels: Labels | None = None,
    log: Callable[[str], None] = logger.info,
) -> Labelled:
    """The texts and labels of tables; `labels` are those that a model knows, by default those of the training rows.

    LecoError as `find_columns`, `texts_of`, `learn_labels` and `Labels.encode` say, and if no table has labels.
    """
    first = next(tables[part] for part in PARTS if part in tables)
    columns, label = find_columns(first, source.text_columns, source.label_column, log)
    source = replace(source, text_columns=columns, label_column=label)
    if labels is None:
        known = learn_labels(first, label, source.label_separator, source.task, log)
        if source.task is None:
            _say_kind(known, log)
    else:
        known = replace(labels, columns=label, separator=source.label_separator)
    splits = {}
    for part, table in tables.items():
        if table is first or has_labels(table, label):
            splits[part] = Split(texts_of(table, columns), known.encode(table))
        else:
            log(f"'{table.name}' has no labels in a column '{known.column}': it is not used as the {part} split.")
    return Labelled(name, splits, known, source)


def _complete(
    splits: Mapping[str, Split], labels: Labels, seed: int, calibration: int
) -> tuple[Split, Split, Split, Split | None]:
    train, dev, test = splits["train"], splits.get("dev"), splits.get("test")
    aside = splits.get(CALIBRATION)
    more = [calibration] if calibration else []
    if dev is None:
        _check_counts(train, labels)
        tenth = len(train) // SHARE
        if test is None:
            dev, test, *rest, train = cut(train, [tenth, tenth, *more], seed)
        else:
            dev, *rest, train = cut(train, [tenth, *more], seed)
    else:
        if test is None:
            dev, test = cut(dev, [len(dev) // 2], seed)
        *rest, train = cut(train, more, seed) if more else [train]
    return train, dev, test, rest[0] if rest else aside


def _say_kind(labels: Labels, log: Callable[[str], None]) -> None:
    """Say what the labels are taken for, where that is not what they mostly are."""
    if not labels.problem.has_names:
        log(f"Labels: '{labels.column}' has decimals, so this is a regression (for names, set {parameter(TASK)})")
    elif labels.problem.has_lists:
        log(f"Labels: a row of '{labels.column}' may have several of {listed(labels.names)}")


def _check_counts(train: Split, labels: Labels) -> None:
    """LecoError if a single label has so few rows that a cut could take them all; it names all such labels."""
    if not labels.problem.has_classes:
        return
    counts = np.bincount(train.labels, minlength=len(labels.names))
    rare = {name: count for name, count in zip(labels.names, counts, strict=True) if 0 < count < FEWEST_OF_LABEL}
    if rare:
        names = listed([f"'{shortened(name)}' ({count})" for name, count in rare.items()])
        raise LecoError(
            f"Labels of the column '{labels.column}' with too few of the {len(train)} training rows to set dev and "
            f"test rows aside, which takes at least {FEWEST_OF_LABEL} each: {names}. Add rows, remove or merge these "
            "labels, or give a dev and a test file."
        )
