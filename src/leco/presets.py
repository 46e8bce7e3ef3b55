"""All settings of a run together, and the named sets of them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from leco.errors import unknown_name
from leco.options import naming
from leco.registry import Registry
from leco.search.options import SearchOptions
from leco.training.options import RunOptions, TrainingOptions

OPTION_GROUPS: tuple[type, ...] = (RunOptions, TrainingOptions, SearchOptions)

# Minutes in place of hours on two cores: short, with rates at which fresh exits and alphas move in that time.
QUICK = {
    "epochs": 3,
    "lr": 5e-5,
    "exit_lr": 1e-3,
    "search_epochs": 2,
    "search_lr": 5e-5,
    "search_exit_lr": 1e-3,
    "alpha_lr": 1e-2,
    "standardize": True,
}
PRESETS: Registry[Mapping[str, Any]] = Registry(
    "preset",
    {
        # Sections 3 and 6.3 to the letter: the options' own defaults.
        "paper": {},
        "quick": QUICK,
        # After an epoch of warm-up the search draws, nearly, one candidate of each edge at a time. In a sum each is
        # judged by what it adds to the others: skip connections win, whose part is there from the first step, and
        # attentions, which are better alone, hardly learn. Exits then train at a higher rate: all gain by it on CoLA.
        "sampling": {**QUICK, "exit_lr": 2e-3, "relaxation": "snas:last=0.2", "search_epochs": 4, "search_warmup": 1},
    },
)


@dataclass(frozen=True)
class Options:
    """The settings of a run: what its parts share, the training's, the search's."""

    run: RunOptions
    training: TrainingOptions
    search: SearchOptions


def build_options(preset: str, given: Mapping[str, Any]) -> Options:
    """The settings of a preset, with those given in their place; None is not given. LecoError for unknown names."""
    with naming("--preset"):
        values = dict(PRESETS[preset])
    values = {**values, **{name: value for name, value in given.items() if value is not None}}
    names = [[field.name for field in fields(group)] for group in OPTION_GROUPS]
    known = {name for group in names for name in group}
    for name in values:
        if name not in known:
            raise unknown_name("option", name, known)
    groups = [
        group(**{n: values[n] for n in own if n in values}) for group, own in zip(OPTION_GROUPS, names, strict=True)
    ]
    return Options(*groups)
