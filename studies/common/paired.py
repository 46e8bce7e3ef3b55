"""Differences on the seeds that two rows share, and as the cells of a table."""

import numpy as np

from leco.reproduction.tables import mean_and_spread, one_sided_p

ENOUGH = 5
"""With fewer seeds no difference can be significant: p of the test is at least 1 / 2^n."""
LEAST = 0.001
"""Smaller p are not told apart."""


def finished(pairs, results):
    """The records of those pairs of cells of which the folder `results` has both, such as pairs with the same seed."""
    return [[results[cell] for cell in pair] for pair in pairs if all(cell in results for cell in pair)]


def told(gaps):
    """The mean of differences by seed, their spread, number, and p that they are above 0, where it can be small."""
    p = one_sided_p(gaps)
    test = "" if len(gaps) < ENOUGH else f", p = {p:.3f}" if p >= LEAST else f", p < {LEAST}"
    return f"{mean_and_spread(gaps, sign='+')} (n = {len(gaps)}{test})"


def on_tasks(tasks, by_task):
    """Differences on each task [seeds], and over tasks and seeds together."""
    line = [told(by_task[task]) if task in by_task else "" for task in tasks]
    return [*line, told(np.concatenate(list(by_task.values())))]
