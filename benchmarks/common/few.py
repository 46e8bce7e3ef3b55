"""Some of a criterion's settings, where all of them would take too long."""

import numpy as np

from leco.evaluation.curve import spread


def few_settings(tried, task, most):
    """At most so many criteria, of settings that dev has scored: from the slowest to the fastest, both included."""
    found = spread(tried, task, most)
    places = np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)
    return [found[place].criterion for place in places]
