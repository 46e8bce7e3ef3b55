"""The pretrained encoder of a run, and whether its exits fit it, before any weights are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from leco.criteria import Task
from leco.errors import LecoError, parameter
from leco.exits.architecture import NAMED, Architecture, ExitArchitecture, load_architectures
from leco.exits.modules import build_exits
from leco.exits.operations import ENCODERS
from leco.exits.published import PUBLISHED, published_architectures
from leco.exits.space import SearchSpace
from leco.model import load_config, load_tokenizer
from leco.model.backbones import backbone_for
from leco.options import naming
from leco.preparation.methods import Methods
from leco.settings import LEARNED
from leco.training.strategies import check_exits, check_number


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder by its name, an architecture for each layer, and the layers that are to have an exit.

    Architectures of None are those still to be searched.
    """

    name: str
    config: PreTrainedConfig
    tokenizer: PreTrainedTokenizerBase
    architectures: Sequence[ExitArchitecture] | None
    exit_layers: Sequence[int]

    @property
    def num_layers(self) -> int:
        """M."""
        return backbone_for(self.config).num_layers(self.config)

    @property
    def max_length(self) -> int:
        """The tokens that it can read of a text."""
        return backbone_for(self.config).max_length(self.config)


def read_encoder(name: str, methods: Methods, layers: int | None = None) -> Encoder:
    """The encoder of that name, or its first layers, with the exits to be trained; LecoError where they do not fit."""
    config = load_config(name, layers)
    family = backbone_for(config)
    architectures = None if methods.exits == LEARNED else given_architectures(methods.exits, family.num_layers(config))
    if architectures is None:
        check_space(methods.space)
    with naming("exits"):
        check_exits(methods.strategy, architectures or [None])
        with torch.device("meta"):
            exits = build_exits(architectures or [], family.hidden_size(config), 1, dropout=0.0)
    with naming("exit_layers"):
        exit_layers = Task(1, family.num_layers(config), exit_layers=methods.exit_layers).exit_layers
        check_number(methods.strategy, len(exit_layers))
        check_embeddings(exit_layers, architectures)
    if methods.prunes:
        with naming("prune_exits"):
            exits.kept([])
    return Encoder(name, config, load_tokenizer(name, config), architectures, exit_layers)


def check_embeddings(exit_layers: Sequence[int], architectures: Sequence[ExitArchitecture] | None) -> None:
    """Raise LecoError for an exit on the embeddings that reads the first token alone, where it is that of any text."""
    if 0 in exit_layers and architectures and not isinstance(architectures[0], Architecture):
        raise LecoError(
            f"{architectures[0].kind} exits read the first token alone, which has the same embedding in all texts: "
            f"leave layer 0 out, or give other {parameter('exits')}, such as mha."
        )


def check_space(space: SearchSpace) -> None:
    """Raise LecoError where an operation of the space refuses its width, as an attention does with some."""
    for encoder in {*space.encoder_1, *space.encoder_2}:
        ENCODERS[encoder](space.width)


def given_architectures(exits: str, num_layers: int) -> list[ExitArchitecture]:
    """The architectures of that name, other than learned ones: of one kind, published, or from a file."""
    if exits in NAMED:
        return [NAMED[exits]] * num_layers
    if exits in PUBLISHED:
        return list(published_architectures(exits, num_layers))
    if exits and Path(exits).exists():
        return load_architectures(Path(exits), num_layers)
    raise LecoError(
        f"{parameter('exits')} '{exits}' is neither a file nor one of: {', '.join([LEARNED, *NAMED, *PUBLISHED])}. "
        "A file of architectures is what 'leco search' writes."
    )
