"""The settings of bulk prediction."""

from dataclasses import dataclass

from leco.options import option, validate
from leco.settings import ENGINES, LOCAL

PARQUET, JSONL = "parquet", "jsonl"
KINDS = (PARQUET, "csv", "tsv", JSONL)
"""How parts may be written: what can be read, and written, piece by piece."""
NULL, ANSWER = "null", "answer"
LABEL, ALL = "label", "all"


@dataclass(frozen=True)
class BulkOptions:
    """How parts are answered."""

    engine: str = option(
        LOCAL,
        "What answers folders: local (processes here) or ray (Ray Data, on a cluster).",
        choices=ENGINES,
    )
    workers: int | None = option(
        None,
        "Processes that share the cores; by default as many as cores, but 8 at most here, and 1 on a GPU.",
        minimum=1,
        maximum=4096,
    )
    ray_address: str | None = option(
        None, "Address of a Ray cluster; by default $RAY_ADDRESS, or else one that is started here."
    )
    batch_size: int = option(32, "Texts that run together.", minimum=1)
    empty: str = option(
        NULL,
        "A row without a text: null, with the reason, or answer it as an empty text, which is marked.",
        choices=(NULL, ANSWER),
    )
    scores: str = option(LABEL, "The score of the label, or of all labels.", choices=(LABEL, ALL))
    format: str | None = option(
        None, f"How all parts are written: {', '.join(KINDS)}; by default their suffix.", choices=KINDS
    )

    def __post_init__(self) -> None:
        validate(self)
