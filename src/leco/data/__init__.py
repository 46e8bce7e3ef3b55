"""Text data sets: reading, splitting, tokenizing, batching and scoring them."""

from typing import TYPE_CHECKING

from leco.data.demo import minilm_folder, rotten_tomatoes
from leco.data.given import DataSource
from leco.data.glue_tasks import GLUE_TASKS
from leco.data.held_out import in_halves, load_held_out, source_for
from leco.data.labels import Labels
from leco.data.sources import load_data
from leco.data.types import Split, TextData
from leco.data.unlabelled import Rows, number_of_rows, read_rows, read_texts
from leco.lazy import lazily
from leco.tokens import Encoding, Text, cut_line

if TYPE_CHECKING:
    from leco.data.batches import LengthGroupedBatches, TextDataset
    from leco.data.enough import check_dev, check_test
    from leco.data.metrics import METRICS, metrics_of, predictions_of, score, with_metric
    from leco.data.tokenize import collate, encode, encode_and_count, padding, without_limits

__all__ = [
    "GLUE_TASKS",
    "METRICS",
    "DataSource",
    "Encoding",
    "Labels",
    "LengthGroupedBatches",
    "Rows",
    "Split",
    "Text",
    "TextData",
    "TextDataset",
    "check_dev",
    "check_test",
    "collate",
    "cut_line",
    "encode",
    "encode_and_count",
    "in_halves",
    "load_data",
    "load_held_out",
    "metrics_of",
    "minilm_folder",
    "number_of_rows",
    "padding",
    "predictions_of",
    "read_rows",
    "read_texts",
    "rotten_tomatoes",
    "score",
    "source_for",
    "with_metric",
    "without_limits",
]

_LAZY = {
    "leco.data.batches": ("LengthGroupedBatches", "TextDataset"),
    "leco.data.enough": ("check_dev", "check_test"),
    "leco.data.metrics": ("METRICS", "metrics_of", "predictions_of", "score", "with_metric"),
    "leco.data.tokenize": ("collate", "encode", "encode_and_count", "padding", "without_limits"),
}
"""What needs PyTorch or scikit-learn, by where it is: imported when it is first asked for."""

__getattr__ = lazily(__name__, {name: module for module, names in _LAZY.items() for name in names})
