"""All settings of a run together, and the named sets of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from leco.options import check_names, fill, naming, setting_names, settings_of
from leco.registry import Registry
from leco.search.options import SearchOptions
from leco.settings import FIT_TIMING, ChoiceOptions, ExitOptions, SourceOptions, TimingOptions
from leco.training.options import RunOptions, TrainingOptions

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
        # Sections 3 and 6.3 to the letter: the options' own defaults, COBEE, and the whole test set timed ten times.
        "paper": {"criterion": "cobee", "repeats": 10, "timed_texts": None},
        "quick": QUICK,
        # After an epoch of warm-up the search draws, nearly, one candidate of each edge at a time. In a sum each is
        # judged by what it adds to the others: skip connections win, whose part is there from the first step, and
        # attentions, which are better alone, hardly learn. Exits then train at a higher rate: all gain by it on CoLA.
        "sampling": {**QUICK, "exit_lr": 2e-3, "relaxation": "snas:last=0.2", "search_epochs": 4, "search_warmup": 1},
    },
)


DEFAULT_PRESET = "sampling"
"""The preset of a run that names none."""


@dataclass(frozen=True)
class Options:
    """The settings of a run, by group. The defaults are the paper's and, where it has none, those of `leco fit`.

    `preset` is the name of those that it began with.
    """

    source: SourceOptions = field(default_factory=SourceOptions)
    run: RunOptions = field(default_factory=RunOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)
    search: SearchOptions = field(default_factory=SearchOptions)
    exits: ExitOptions = field(default_factory=ExitOptions)
    choice: ChoiceOptions = field(default_factory=ChoiceOptions)
    timing: TimingOptions = FIT_TIMING
    preset: str | None = None

    def groups(self, names: Sequence[str]) -> list[Any]:
        """The groups of these names."""
        return [getattr(self, name) for name in names]

    def identity(self, names: Sequence[str]) -> dict[str, Any]:
        """The settings in these groups that make a run what it is; of the others one may change while it goes on."""
        return {
            name: getattr(group, name)
            for group in self.groups(names)
            for name, (one, _) in settings_of(group).items()
            if one.metadata.get("identifies", True)
        }


DEFAULTS = Options()
SEARCH = ("source", "run", "training", "search")
TRAIN = (*SEARCH, "exits", "choice")
FIT = (*TRAIN, "timing")
"""The groups of settings that `search`, `train` and `fit` take."""


def names_in(*groups: str) -> list[str]:
    """The names of the settings in the groups of these names.

    >>> names_in("exits", "choice")
    ['exits', 'exit_layers', 'criterion', 'max_drop', 'prune_exits']
    """
    return [name for group in DEFAULTS.groups(groups) for name in setting_names(group)]


def build_options(preset: str, given: Mapping[str, Any], names: Sequence[str] = FIT) -> Options:
    """The settings of a preset in the groups of these names, with those given in their place (`fill`).

    LecoError for an unknown preset, a setting of none of these groups and a value that is not allowed.
    """
    with naming("preset"):
        known, named = PRESETS.name(preset), dict(PRESETS[preset])
    epochs = given.get("search_epochs")
    if isinstance(epochs, int):  # a preset's warm-up leaves a shorter search its last epoch
        named["search_warmup"] = max(0, min(named.get("search_warmup", 0), epochs - 1))
    check_names(DEFAULTS.groups(names), given)
    groups = {name: fill(fill(getattr(DEFAULTS, name), named), given) for name in names}
    return replace(DEFAULTS, preset=known, **groups)
