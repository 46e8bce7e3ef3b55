"""What the settings of a run name, as objects."""

from dataclasses import dataclass

import torch

from leco.criteria import Criterion, parse_criterion
from leco.devices import pick_device
from leco.errors import LecoError, parameter
from leco.evaluation.contest import kinds_named
from leco.exits.space import SearchSpace
from leco.options import naming
from leco.presets import Options
from leco.search.costs import costs_for
from leco.search.relaxations import Relaxation, parse_relaxation
from leco.settings import LEARNED, layer_numbers
from leco.training.loggers import check_logger
from leco.training.strategies import Strategy, parse_strategy


@dataclass(frozen=True)
class Methods:
    """The strategy, the relaxation and the space of a search, the exits' name and layers, the device, the criterion.

    The criterion has its settings where they are given. Where not, they are chosen on dev: of one kind, or of those of
    `criteria` that are defined for the problem, which compete. With `prunes`, exits are dropped by it.
    """

    device: torch.device
    strategy: Strategy
    relaxation: Relaxation
    space: SearchSpace
    exits: str
    criterion: Criterion | None
    criteria: tuple[type[Criterion], ...]
    exit_layers: tuple[int, ...] = ()
    prunes: bool = False


def parse_methods(options: Options) -> Methods:
    """The objects that the settings name; LecoError, with the setting, for what there is not."""
    with naming("criterion"):
        criterion, criteria = parse_choice(options.choice.criterion)
    with naming("device"):
        device = pick_device(options.run.device)
    with naming("strategy"):
        strategy = parse_strategy(options.training.strategy)
    check_logger(options.training.report_to)
    with naming("relaxation"):
        relaxation = parse_relaxation(options.search.relaxation)
    space = options.search.search_space(options.run.width)
    costs_for(options.search, space)
    usual = LEARNED if strategy.exits is None else strategy.exits.kind
    exits = usual if options.exits.exits is None else options.exits.exits
    layers, prunes = layer_numbers(options.exits.exit_layers), options.choice.prune_exits
    if prunes and criterion is not None:
        raise LecoError(
            f"{parameter('prune_exits')} chooses settings on dev: give {parameter('criterion')} '{criterion.name}' "
            f"without settings, not '{criterion}'."
        )
    return Methods(device, strategy, relaxation, space, exits, criterion, criteria, layers, prunes)


def parse_choice(text: str) -> tuple[Criterion | None, tuple[type[Criterion], ...]]:
    """The criterion with settings that is written, or the kinds of which it is to be chosen."""
    name, colon, _ = text.partition(":")
    kinds = kinds_named(name)
    return (parse_criterion(text), ()) if colon else (None, kinds)
