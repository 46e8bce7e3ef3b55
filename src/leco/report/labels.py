"""The scores of each label and what is taken for what, as a report shows them."""

from typing import Any

from leco.display import shortened
from leco.evaluation import Evaluation

MOST = 20
"""Labels that are shown, the most frequent; with more, what is taken for what is not."""


def label_tables(found: Evaluation) -> dict[str, Any]:
    """The labels with their scores, and the rows of the confusion of single labels; empty what there is none of."""
    detail = found.detail
    if detail is None:
        return {"labels": [], "confusion": []}
    labels = [(shortened(name, 40), one) for name, one in detail.by_label.items()]
    if len(labels) > MOST:
        labels = sorted(labels, key=lambda item: -item[1].support)[:MOST]
    single = bool(detail.confusion) and not isinstance(detail.confusion[0][0], list)
    whole = single and len(detail.confusion) <= MOST
    return {"labels": labels, "confusion": detail.confusion if whole else []}
