"""Seeded, stratified cuts of a split into parts."""

from collections.abc import Sequence

import numpy as np

from leco.data.types import Array, Split
from leco.errors import LecoError


def cut(split: Split, sizes: Sequence[int], seed: int, *, stratify: bool = True) -> list[Split]:
    """Parts of exactly the `sizes` given, and the rest as the last; each keeps the order of its rows.

    Each part has of each single label its share of the rows, to within rounding; other kinds of labels, and
    `stratify=False`, give random parts. The same seed gives the same parts. LecoError if a part would be empty.
    """
    if min(sizes) < 1 or sum(sizes) >= len(split):
        raise LecoError(
            f"{len(split)} rows are too few to be cut into {len(sizes) + 1} parts. "
            "Give at least 10 rows, or train, dev and test files of your own."
        )
    single = stratify and split.labels.ndim == 1 and split.labels.dtype.kind == "i"
    strata = split.labels if single else np.zeros(len(split), dtype=np.int64)
    order = _spread(strata, np.random.default_rng(seed))
    return [split.take(np.sort(part)) for part in np.split(order, np.cumsum(sizes))]


def _spread(strata: Array, rng: np.random.Generator) -> Array:
    """A random order [N] in which the rows of every stratum are spread evenly (systematic sampling).

    Every stretch of it therefore has the strata in their proportions, so that it can be cut at any place.
    """
    positions = np.empty(len(strata))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        positions[rows] = (rng.permutation(len(rows)) + rng.random()) / len(rows)
    return np.argsort(positions, kind="stable")
