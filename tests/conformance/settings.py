"""What to try of a variant's settings, from what its fields say of themselves (`leco.options`)."""

from dataclasses import fields
from math import inf, nan
from typing import get_type_hints

import pytest

from leco.errors import LecoError
from leco.options import setting_names

LARGE, SMALL = 1000, 1e-6
"""Where a range has no end, and next to an end that is not in it."""


def settings_with_types(variant):
    """Name, type and metadata of each setting."""
    hints = get_type_hints(variant)
    known = [field for field in fields(variant) if field.name in setting_names(variant)]
    return [(field.name, hints[field.name], field.metadata) for field in known]


def _ends(hint, meta):
    if meta["choices"] is not None or hint is bool:
        return list(meta["choices"] or (False, True))
    least, most = meta["minimum"], meta["maximum"]
    if meta["above"] is not None:
        least = meta["above"] + (SMALL if hint is float else 1)
    return [-LARGE if least is None else least, LARGE if most is None else most]


def _beyond(hint, meta):
    if meta["choices"] is not None or hint is bool:
        return ["no such", 7]
    wrong = ["a word", None, nan, inf] + ([] if hint is float else [1.5, True])
    bounds = [(meta["minimum"], -1), (meta["maximum"], 1), (meta["above"], 0)]
    return wrong + [bound + step for bound, step in bounds if bound is not None]


def extremes(variant):
    """The variant with its defaults, and with each setting at each end of its range (each choice) in turn."""
    settings = [{name: end} for name, hint, meta in settings_with_types(variant) for end in _ends(hint, meta)]
    return [variant(), *(variant(**setting) for setting in settings)]


def assert_refuses(variant):
    """What is beyond the range of a setting, or not of its type, is refused with an error that names it."""
    for name, hint, meta in settings_with_types(variant):
        for value in _beyond(hint, meta):
            with pytest.raises(LecoError, match=f"^{name} must be .*, not "):
                variant(**{name: value})


def written(variant):
    """A variant as on the command line."""
    settings = ",".join(f"{name}={str(getattr(variant, name)).lower()}" for name in setting_names(variant))
    return f"{variant.name}:{settings}" if settings else variant.name
