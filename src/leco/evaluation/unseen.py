"""Texts on which a trained model can be judged, with labels or without: none that it was made with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from leco.data import DataSource, Split, TextData, read_rows, source_for
from leco.errors import LecoError, parameter
from leco.evaluation.data import data_for
from leco.progress import say
from leco.provenance import KNOWN, Provenance
from leco.runtime import Predictor
from leco.runtime.texts import checked, checked_kind
from leco.sketches import MADE, recognized

Log = Callable[[str], None]


def unseen_texts(
    predictor: Predictor, source: DataSource, given: Mapping[str, Any], *, labelled: bool, log: Log = say
) -> tuple[str, Split]:
    """The name and the rows of `source`, of which the calibration part or else all or those named test are meant.

    Without `labelled` its labels are not needed, and are not used. LecoError as `data_for`, and for what the model was
    trained on, as its fingerprint or its texts show.
    """
    name, split = _texts(predictor, source, given, labelled, log)
    if predictor.trained_on is not None:
        check_new(f"{parameter('data')} '{name}'", split, predictor.trained_on.seen, MADE, log)
    return name, split


def check_new(where: str, split: Split, known: str, what: str, log: Log = say) -> None:
    """LecoError where most texts of `where` are in the sketch `known` of those on which `what`; a line where some are.

    The sentences begin with `where`.
    """
    found = recognized(known, split.texts)
    sentence = found.sentence(where, what)
    if found.are_old:
        raise LecoError(f"{sentence} Give new ones.")
    if found.hits:
        log(f"warning: {sentence} Leave them out, unless as many of the texts that are to come will be.")


def _texts(
    predictor: Predictor, source: DataSource, given: Mapping[str, Any], labelled: bool, log: Log
) -> tuple[str, Split]:
    try:
        data = data_for(predictor, source, given, borrow_dev=False, log=lambda line: None)
    except LecoError:
        if labelled:
            raise
        return _unlabelled(predictor, source, given)
    if data.calibration is not None:
        return data.name, data.calibration
    _check_unseen(predictor.trained_on, data, log)
    return data.name, data.test


def _check_unseen(trained_on: Provenance | None, data: TextData, log: Log) -> None:
    """LecoError where the rows are some on which the model was trained or its settings chosen."""
    where = f"{parameter('data')} '{data.name}'"
    if trained_on is None:
        log("The model does not say on what it was trained: what is certified holds only if not on these texts.")
        return
    known = data.name.partition("/")[0] in KNOWN and data.name == trained_on.name
    same = known or dict(data.hashes) == trained_on.hashes != {}
    rows = [part for part, mark in trained_on.hashes.items() if mark == data.test.fingerprint]
    if (same and not known and "test" not in data.hashes) or (rows and "test" not in rows):
        raise LecoError(
            f"{where} is what the model was trained on: it says nothing of new texts. Give others, which neither "
            "trained the model nor chose its settings."
        )
    if same or rows:
        log(f"{where}: these are its {len(data.test):,} test rows, which are from now on no test of this setting.")


def _unlabelled(predictor: Predictor, source: DataSource, given: Mapping[str, Any]) -> tuple[str, Split]:
    """The texts of a file without labels, or of what is in memory; rows without a text are left out."""
    if isinstance(source, str | Path):
        where = source_for(predictor.trained_on, given, source)
        pieces = read_rows(source, text_columns=where.text_columns, where=where)
        found = [text for piece in pieces for text, why in zip(piece.texts, piece.missing, strict=True) if why is None]
        name = str(source)
    else:
        found, name = list(checked(source, predictor.text_columns)), f"<{type(source).__name__}>"
    texts = list(checked_kind(found, predictor.trained_on))
    if not texts:
        raise LecoError(f"{parameter('data')} '{name}' has no texts.")
    return name, Split(texts, np.zeros(len(texts), np.int64))
