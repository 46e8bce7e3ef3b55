"""Bulk prediction: folders of Parquet, CSV or JSON Lines to folders of the same with answers, part by part.

`predict` is what `leco predict` does with folders; `leco.spark.predict_udf` is for rows that Spark has.
"""

from typing import TYPE_CHECKING

from leco.bulk.options import BulkOptions
from leco.lazy import lazily

if TYPE_CHECKING:
    from leco.bulk.plan import Request as Request
    from leco.bulk.run import Summary as Summary
    from leco.bulk.run import answer_parts as answer_parts
    from leco.bulk.run import predict as predict

_LAZY = {"Request": "plan", "Summary": "run", "answer_parts": "run", "predict": "run"}
"""What reads and answers, and where it is: imported when it is first asked for."""

__all__ = ["BulkOptions", "Request", "Summary", "answer_parts", "predict"]

__getattr__ = lazily(__name__, {name: f"leco.bulk.{module}" for name, module in _LAZY.items()})
