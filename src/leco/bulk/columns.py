"""The columns that answers have, which are the same in each part whatever its rows hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from leco.bulk.answering import flattened
from leco.bulk.options import ALL, ANSWER, BulkOptions
from leco.runtime import Predictor

Types = dict[str, pa.DataType]


def answer_types(predictor: Predictor, options: BulkOptions, *, flat: bool) -> Types:
    """The columns by name with their types; where all scores are wanted, `flat` has one of each label, `score_LABEL`.

    `label` is a text, the list of texts where there may be several, or a value; `score` that of a label alone.
    """
    problem = predictor.problem
    label = pa.list_(pa.string()) if problem.has_lists else pa.string() if problem.has_names else pa.float64()
    scores: Types = {}
    if options.scores == ALL:
        by_label = {f"score_{name}": pa.float64() for name in predictor.label_names}
        scores = by_label if flat else {"scores": pa.map_(pa.string(), pa.float64())}
    left_out = {"empty": pa.bool_()} if options.empty == ANSWER else {"reason": pa.string()}
    where = {"exit_layer": pa.int64(), "truncated": pa.bool_()}
    return {"label": label, "score": pa.float64(), **scores, **where, **left_out}


def by_name(objects: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """What answers say under these names, None where one says nothing."""
    if "scores" not in names:
        objects = list(map(flattened, objects))
    return {name: [one.get(name) for one in objects] for name in names}
