"""Tables to a data set: columns, labels, and the splits that are missing."""

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from leco.data.columns import find_columns, texts_of
from leco.data.labels import Labels, has_labels, learn_labels
from leco.data.splits import cut
from leco.data.tables import Table
from leco.data.types import Split, TextData
from leco.display import shortened
from leco.errors import LecoError

logger = logging.getLogger(__name__)


def from_tables(
    name: str,
    tables: Mapping[str, Table],
    *,
    text_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    split_seed: int = 0,
    log: Callable[[str], None] = logger.info,
) -> TextData:
    """The data set of the tables "train" and, where there are any, "dev" and "test".

    The training rows say which columns are meant and which labels there are. A dev or test table without labels is
    left out, with a line to `log`. Missing splits are cut from the others, seeded and stratified: 10 % of the training
    rows each for dev and for test if both are missing, 10 % for dev, half of dev for test.
    LecoError as `find_columns`, `texts_of`, `learn_labels`, `Labels.encode` and `cut` say, and if a label has too few
    rows to be split.
    """
    columns, label = find_columns(tables["train"], text_columns, label_column, log)
    labels = learn_labels(tables["train"], label)
    if not labels.problem.has_names:
        log(f"Labels: '{label}' has decimals, so this is a regression (for classes, write names or whole numbers)")
    splits = {}
    for part, table in tables.items():
        if part == "train" or has_labels(table, label):
            splits[part] = Split(texts_of(table, columns), labels.encode(table))
        else:
            log(f"'{table.name}' has no labels in a column '{label}': it is not used as the {part} split.")
    train, dev, test = _complete(splits, labels, split_seed)
    metric = labels.problem.metric
    return TextData(name, train, dev, test, labels.names, labels.problem_type, metric, pair=len(columns) == 2)


def _complete(splits: Mapping[str, Split], labels: Labels, seed: int) -> tuple[Split, Split, Split]:
    train, dev, test = splits["train"], splits.get("dev"), splits.get("test")
    if dev is None:
        _check_counts(train, labels)
        tenth = len(train) // 10
        if test is None:
            dev, test, train = cut(train, [tenth, tenth], seed)
        else:
            dev, train = cut(train, [tenth], seed)
    elif test is None:
        dev, test = cut(dev, [len(dev) // 2], seed)
    return train, dev, test


def _check_counts(train: Split, labels: Labels) -> None:
    """LecoError if a single label has so few rows that a cut could take them all."""
    if not labels.problem.has_classes:
        return
    counts = np.bincount(train.labels, minlength=len(labels.names))
    for name, count in zip(labels.names, counts, strict=True):
        if 0 < count < 3:
            raise LecoError(
                f"The label '{shortened(name)}' of the column '{labels.column}' has {count} of {len(train)} training "
                "rows, too few to set dev and test rows aside. Give it at least 3, remove it, or give a dev and a test "
                "file."
            )
