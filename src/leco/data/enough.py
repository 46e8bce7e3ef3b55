"""Whether a split has the rows that its scores need."""

import warnings
from collections.abc import Callable

from leco.data.metrics import score
from leco.data.types import Split, TextData
from leco.display import listed
from leco.errors import LecoError

FEW_ROWS = 10
"""Fewer rows of a split are worth a warning."""


def check_dev(data: TextData, log: Callable[[str], None]) -> None:
    """Say to `log` where a split of `data` by which a model is chosen has so few rows that its scores mean little.

    LecoError where the scores of dev mean nothing: the best checkpoint and criterion could not be chosen by them.
    """
    if problem := undefined(data, data.dev, "dev split"):
        raise LecoError(
            f"'{data.name}': {problem} Nothing could be chosen by it: give more rows (a tenth of a file is its dev "
            "split), a dev file, or another metric."
        )
    for part, split in (("dev split", data.dev), ("test split", data.test)):
        if len(split) < FEW_ROWS:
            rows = "1 row" if len(split) == 1 else f"{len(split)} rows"
            log(f"warning: the {part} has {rows}, on which scores mean little. Give {10 * FEW_ROWS} or more.")
        if data.problem.has_classes:
            absent = [name for place, name in enumerate(data.label_names) if place not in split.labels]
            if absent:
                log(f"warning: the {part} has no row of {listed(absent)}, so that its scores leave them out.")
    check_test(data, log)


def check_test(data: TextData, log: Callable[[str], None]) -> None:
    """Say to `log` where the score on the test split of `data` means nothing, as a correlation of one row does."""
    if problem := undefined(data, data.test, "test set"):
        log(f"warning: {problem} Give rows with other labels, or look at the other scores.")


def undefined(data: TextData, split: Split, part: str) -> str:
    """A sentence where not even right answers have a full score on a split, as in a correlation of one row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said here of it is enough
        reached = score(data.metric, split.labels, split.labels, split.groups)
    if reached > 1 - 1e-6:
        return ""
    rows = "1 row" if len(split) == 1 else f"{len(split)} rows, all alike,"
    return f"{data.metric} says nothing on the {part} of {rows} where right answers have {reached:.1f}."
