"""Answers for rows that Spark has: a function of its columns, on Spark's own batch inference."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from leco.bulk.answering import Answering
from leco.bulk.options import ALL, BulkOptions
from leco.criteria import Criterion, as_criterion
from leco.errors import unknown_name
from leco.extras import needed
from leco.loading import PredictorSpec
from leco.options import fill
from leco.problems import Problem
from leco.provenance import check_pair
from leco.runtime import Predictor

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import StructType

__all__ = ["predict_udf"]

Cells: TypeAlias = NDArray[Any]
TAKEN = ("batch_size", "empty", "scores")
"""The settings of bulk prediction that there are here; what the others say is Spark's to say."""
WINDOW = 1024
"""Rows that a Python worker answers at a time, in batches of texts of similar length."""


def predict_udf(
    path: str | PredictorSpec, criterion: Criterion | str | None = None, **options: Any
) -> "Callable[..., Column]":
    """A function of Spark's columns that answers their texts: of one column, or of two for a model of pairs.

    It gives a struct of `label` (a text, an array of them where a text may have several, or a value), `score` of the
    label (or `scores` [K] of all, in the order of the model's labels), `exit_layer` and `truncated`. Where a row has no
    text, they are null. It is built on `pyspark.ml.functions.predict_batch_udf`: each Python worker loads the model
    once.

    >>> from leco.spark import predict_udf
    >>> answer = predict_udf("/models/reviews")  # doctest: +SKIP
    >>> rows = spark.read.parquet("reviews/").withColumn("answer", answer("text"))  # doctest: +SKIP
    >>> rows.select("*", "answer.*").drop("answer").write.parquet("answers/")  # doctest: +SKIP

    Args:
        path: a model folder or an exported file that all executors see under this path, or what loads it. By default a
            worker has one thread, as Spark gives each task one core.
        criterion: when to exit; by default the model's own.
        **options: `batch_size`, `empty` and `scores` of `leco.bulk.BulkOptions`.

    Raises:
        LecoError: where pyspark is not installed, there is no such model, it cannot decide by the criterion, or an
            option is another one.

    """
    with needed():
        from pyspark.ml.functions import predict_batch_udf
    if other := [name for name in options if name not in TAKEN]:
        raise unknown_name("option", other[0], TAKEN)
    spec = path if isinstance(path, PredictorSpec) else PredictorSpec(path)
    spec, chosen = replace(spec, threads=spec.threads or 1), fill(BulkOptions(), options)
    predictor = spec.load()
    decide = as_criterion(criterion, predictor.criterion)
    decide.check(predictor.task)
    predictor.decide([], decide)
    problem, trained_on = predictor.problem, predictor.trained_on
    kind = _struct(problem, all_scores=chosen.scores == ALL)

    def answer(*columns: Any) -> "Column":
        pairs = len(columns) == 2
        check_pair(trained_on, pairs, "The rows have")
        make = partial(_predicting, spec, decide, chosen, pairs=pairs)
        answered = predict_batch_udf(make, return_type=kind, batch_size=WINDOW)
        return _finished(answered(*columns), problem, all_scores=chosen.scores == ALL)

    return answer


def _struct(problem: Problem, *, all_scores: bool) -> "StructType":
    """The fields, as far as `predict_batch_udf` has their types: no truth values, and arrays of one length."""
    from pyspark.sql.types import ArrayType, ByteType, DoubleType, LongType, StringType, StructField, StructType

    label = ArrayType(StringType()) if problem.has_lists else StringType() if problem.has_names else DoubleType()
    scores = StructField("scores", ArrayType(DoubleType())) if all_scores else StructField("score", DoubleType())
    where = [StructField("exit_layer", LongType()), StructField("truncated", ByteType())]
    return StructType([StructField("label", label), scores, *where])


def _finished(answered: "Column", problem: Problem, *, all_scores: bool) -> "Column":
    """The struct with the types that are promised."""
    from pyspark.sql.functions import array_compact, when

    there = answered["exit_layer"].isNotNull()
    made = answered.withField("truncated", answered["truncated"].cast("boolean"))
    if all_scores:
        made = made.withField("scores", when(there, answered["scores"]))
    return made.withField("label", when(there, array_compact(answered["label"]))) if problem.has_lists else made


def _predicting(
    spec: PredictorSpec, criterion: Criterion, options: BulkOptions, *, pairs: bool
) -> Callable[..., dict[str, Cells]]:
    """In a Python worker of Spark: what answers columns of cells, with the model loaded."""
    predictor = spec.load()

    def predict(texts: Cells) -> dict[str, Cells]:
        return _answers(predictor, criterion, options, [texts])

    def predict_pairs(first: Cells, second: Cells) -> dict[str, Cells]:
        return _answers(predictor, criterion, options, [first, second])

    return predict_pairs if pairs else predict


def _answers(
    predictor: Predictor, criterion: Criterion, options: BulkOptions, columns: Sequence[Cells]
) -> dict[str, Cells]:
    """The fields of the struct, an array [N] or [N, K] of each."""
    from leco.data.tables import Table
    from leco.data.unlabelled import rows_of

    names = [str(place) for place, _ in enumerate(columns, start=1)]
    cells = dict(zip(names, (column.tolist() for column in columns), strict=True))
    table = Table("the rows of Spark", cells, list(range(1, len(columns[0]) + 1)))
    answering = Answering(predictor, criterion, options.batch_size, options.empty, options.scores)
    objects = answering.answer_with_cuts(rows_of(table, names))
    cut = _cells(None if one["truncated"] is None else int(one["truncated"]) for one in objects)
    found = {"exit_layer": _cells(one["exit_layer"] for one in objects), "truncated": cut}
    if options.scores == ALL:
        nothing = dict.fromkeys(predictor.label_names, np.nan)
        found["scores"] = np.array([[*(one.get("scores") or nothing).values()] for one in objects], np.float64)
    else:
        found["score"] = _cells(one["score"] for one in objects)
    labels = [one["label"] for one in objects]
    found["label"] = _padded(labels, len(predictor.label_names)) if predictor.problem.has_lists else _cells(labels)
    return found


def _cells(values: Iterable[Any]) -> Cells:
    """Values [N] of which some are None."""
    return np.array([*values], object)


def _padded(lists: Sequence[Sequence[str] | None], most: int) -> Cells:
    """Lists of at most so many texts, with None behind their ends: [N, most]."""
    return np.array([[*(some or ()), *[None] * (most - len(some or ()))] for some in lists], object)
