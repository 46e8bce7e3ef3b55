"""What the settings of a run name, as objects."""

from dataclasses import dataclass

import torch

from leco.criteria import CRITERIA, Criterion, check_deployable
from leco.devices import pick_device
from leco.exits.space import SearchSpace
from leco.options import naming
from leco.presets import Options
from leco.search.relaxations import Relaxation, parse_relaxation
from leco.settings import LEARNED
from leco.training.loggers import check_logger
from leco.training.strategies import Strategy, parse_strategy


@dataclass(frozen=True)
class Methods:
    """The strategy, the relaxation and the space of a search, the kind of criterion, the name of the exits, the device.

    The criterion has no settings yet: they are chosen on dev.
    """

    device: torch.device
    strategy: Strategy
    relaxation: Relaxation
    space: SearchSpace
    exits: str
    criterion: type[Criterion]


def parse_methods(options: Options) -> Methods:
    """The objects that the settings name; LecoError, with the setting, for what there is not."""
    with naming("criterion"):
        check_deployable(options.choice.criterion)
    with naming("device"):
        device = pick_device(options.run.device)
    with naming("strategy"):
        strategy = parse_strategy(options.training.strategy)
    check_logger(options.training.report_to)
    with naming("relaxation"):
        relaxation = parse_relaxation(options.search.relaxation)
    with naming("space", "activations", "encoders", "poolers"):
        space = options.search.search_space(options.run.width)
    exits = options.exits.exits or (LEARNED if strategy.exits is None else strategy.exits.kind)
    return Methods(device, strategy, relaxation, space, exits, CRITERIA[options.choice.criterion])
