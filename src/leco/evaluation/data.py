"""The data on which a predictor is evaluated, read as those that it was trained on, with labels as it numbers them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from leco.data import DataSource, Labels, Split, TextData, check_test, load_held_out, source_for, with_metric
from leco.display import listed, shortened
from leco.errors import LecoError, parameter
from leco.problems import TASKS
from leco.progress import say
from leco.provenance import check_pair
from leco.runtime import Predictor


def data_for(
    predictor: Predictor,
    source: DataSource,
    given: Mapping[str, Any] | None = None,
    *,
    borrow_dev: bool = True,
    log: Callable[[str], None] = say,
) -> TextData:
    """The data set `source` for a predictor that is trained; what of it is its test set says `leco.data.load_held_out`.

    `given` are settings of `leco.settings.SourceOptions` in place of those by which the training data were read. With
    `borrow_dev`, a `source` without dev rows has those of the training; `log` takes lines for the user. LecoError as
    `load_held_out` and `align_labels` say, and where texts are pairs and should not be, or should be.
    """
    trained_on = predictor.trained_on
    where = source_for(trained_on, given or {}, source)
    if where.task is not None and TASKS[where.task] != predictor.problem.name:
        raise LecoError(f"{parameter('task')}: the model was trained for a {predictor.problem.name}.")
    names = tuple(predictor.label_names) if predictor.problem.has_names else ()
    labels = Labels((), predictor.problem.name, names)
    read = load_held_out(source, labels, trained_on, where, borrow_dev=borrow_dev, log=log)
    data = with_metric(align_labels(read, predictor), None if trained_on is None else trained_on.metric)
    check_test(data, log)
    check_pair(trained_on, data.pair, f"{parameter('data')} '{data.name}' has")
    return data


def align_labels(data: TextData, model: Predictor) -> TextData:
    """The `data` with its labels numbered as the `model` numbers them.

    LecoError where it has one that the model lacks, or is of another kind of problem.
    """
    if data.problem_type != model.task.problem_type:
        raise LecoError(
            f"{parameter('data')} is a {data.problem_type}, but the model was trained for a {model.task.problem_type}."
        )
    names = model.label_names
    if not data.problem.has_names or list(data.label_names) == names:
        return data
    if unknown := sorted(set(data.label_names) - set(names)):
        raise LecoError(
            f"{parameter('data')} has the label '{shortened(unknown[0])}', which the model does not know. "
            f"It knows: {listed(names)}."
        )
    places = np.array([names.index(name) for name in data.label_names])

    def renumber(split: Split) -> Split:
        return replace(split, labels=data.problem.renumber(split.labels, places, len(names)))

    train, dev, test = map(renumber, (data.train, data.dev, data.test))
    calibration = None if data.calibration is None else renumber(data.calibration)
    return replace(data, label_names=tuple(names), train=train, dev=dev, test=test, calibration=calibration)
