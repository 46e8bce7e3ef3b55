"""Exit criteria as ONNX nodes, equal to `leco.criteria` row by row; their settings are inputs of the graph.

A new one is a class in one of these files that says which criterion it writes.
"""

from leco.criteria import Criterion
from leco.errors import unknown_name
from leco.export.criteria import (  # noqa: F401 - their classes list themselves
    beem,
    cap,
    confident,
    counting,
    ensemble,
    f_pabee,
    static,
    voting,
)
from leco.export.criteria.base import WRITERS, Layer, Values, Writer


def writer_for(criterion: Criterion) -> type[Writer]:
    """The writer of a criterion; a LecoError lists the criteria that there are writers of."""
    if type(criterion) not in WRITERS:
        raise unknown_name("criterion for ONNX", criterion.name, [known.name for known in WRITERS])
    return WRITERS[type(criterion)]


__all__ = ["WRITERS", "Layer", "Values", "Writer", "writer_for"]
