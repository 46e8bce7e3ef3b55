"""What a run is about, checked before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from leco.criteria import CRITERIA, Task, check_deployable
from leco.data import TextData, TextDataset, encode, load_data
from leco.devices import has_bf16, pick_device
from leco.errors import LecoError
from leco.exits.architecture import NAMED, ExitArchitecture, load_architectures
from leco.exits.modules import build_exits
from leco.exits.operations import ENCODERS
from leco.exits.published import PUBLISHED, published_architectures
from leco.model import load_config, load_tokenizer
from leco.model.backbones import backbone_for
from leco.options import flag, naming
from leco.presets import Options
from leco.progress import say
from leco.runs import check_folder, claim, fingerprint, flat
from leco.search.relaxations import parse_relaxation
from leco.training.strategies import check_exits, parse_strategy

LEARNED = "learned"
"""The name, for `--exits`, of exits that are searched."""


@dataclass(frozen=True)
class Job:
    """An encoder, a data set, settings, and the folder for everything that comes of it.

    `architectures` are those of the exits, where they are given and need no search.
    """

    backbone: str
    config: PreTrainedConfig
    tokenizer: PreTrainedTokenizerBase
    data: TextData
    options: Options
    architectures: list[ExitArchitecture] | None
    folder: Path
    device: torch.device

    @property
    def work(self) -> Path:
        """Where steps keep what they need to continue; removed when they are done."""
        return self.folder / "work"

    @property
    def num_layers(self) -> int:
        """M."""
        return backbone_for(self.config).num_layers(self.config)

    @cached_property
    def datasets(self) -> dict[str, TextDataset]:
        """The splits, tokenized. One line counts the texts, of all splits, that are too long and cut."""
        splits = {"train": self.data.train, "dev": self.data.dev, "test": self.data.test}
        length = min(self.options.run.max_length, backbone_for(self.config).max_length(self.config))
        texts = [text for split in splits.values() for text in split.texts]
        encodings = iter(encode(self.tokenizer, texts, length, log=say))
        return {name: TextDataset(list(islice(encodings, len(split))), split.labels) for name, split in splits.items()}


def make_job(
    model: str,
    data: str,
    output: str | Path,
    options: Options,
    *,
    exits: str | None = LEARNED,
    choices: Mapping[str, Any],
    glue_dir: str | Path | None,
    columns: tuple[Sequence[str] | None, str | None],
) -> Job:
    """Check everything that can be checked at once, read the data, and then claim the output folder.

    `exits` are as on the command line: None is those that the strategy brings, or else learned ones. `choices` are the
    settings beside the options; a criterion's name among them is checked.
    """
    folder, run = Path(output), options.run
    criterion = choices.get("criterion")
    check_choices(choices)
    with naming("--device"):
        device = pick_device(run.device)
    with naming("--strategy"):
        strategy = parse_strategy(options.training.strategy)
    exits = exits or (LEARNED if strategy.exits is None else strategy.exits.kind)
    with naming("--relaxation"):
        parse_relaxation(options.search.relaxation)
    with naming("--space, --activations, --encoders, --poolers"):
        space = options.search.search_space(run.width)
    check_folder(folder)
    config = load_config(model)
    family = backbone_for(config)
    architectures = None if exits == LEARNED else given_architectures(exits, family.num_layers(config))
    if architectures is None:
        for encoder in {*space.encoder_1, *space.encoder_2}:
            ENCODERS[encoder](space.width)  # an attention refuses some widths
    with naming("--exits"):
        check_exits(strategy, architectures or [None])
        with torch.device("meta"):
            build_exits(architectures or [], family.hidden_size(config), 1, run.exit_dropout)
    tokenizer = load_tokenizer(model)
    with naming("--data"):
        texts = load_data(
            data,
            glue_dir=Path(glue_dir) if glue_dir else None,
            text_columns=columns[0],
            label_column=columns[1],
            train_rows=run.train_rows,
            log=say,
        )
    if criterion is not None:
        with naming("--criterion"):
            CRITERIA[criterion]().start(1, Task(texts.num_outputs, family.num_layers(config), texts.problem_type))
    settings: dict[str, Any] = {
        "model": str(model),
        "data": texts.name,
        "data_hash": fingerprint(texts),
        "exits": exits,
    }
    if Path(exits).is_file():
        settings["architectures"] = [architecture.to_dict() for architecture in architectures or ()]
    claim(folder, {**settings, **choices, **_identity(options)})
    options = replace(options, run=replace(run, bf16=run.bf16 and has_bf16(device)))
    return Job(str(model), config, tokenizer, texts, options, architectures, folder, device)


def _identity(options: Options) -> dict[str, Any]:
    """The options that make a run what it is: a run that began on one device may go on on another."""
    return {name: value for name, value in flat(options).items() if name != "device"}


def check_choices(choices: Mapping[str, Any]) -> None:
    """Raise LecoError for a choice that is unknown or out of its range."""
    ranges = {"max_drop": (0, 1), "repeats": (1, None), "timed_texts": (1, None)}
    for name, (least, most) in ranges.items():
        value = choices.get(name)
        if value is not None and (value < least or (most is not None and value > most)):
            legal = f"at least {least}" if most is None else f"from {least} to {most}"
            raise LecoError(f"{flag(name)} must be {legal}, not {value}.")
    if "criterion" in choices:
        with naming("--criterion"):
            check_deployable(choices["criterion"])


def given_architectures(exits: str, num_layers: int) -> list[ExitArchitecture]:
    """The architectures that `--exits` names, other than learned ones: of one kind, published, or from a file."""
    if exits in NAMED:
        return [NAMED[exits]] * num_layers
    if exits in PUBLISHED:
        return list(published_architectures(exits, num_layers))
    if Path(exits).exists():
        return load_architectures(Path(exits), num_layers)
    raise LecoError(
        f"--exits '{exits}' is neither a file nor one of: {', '.join([LEARNED, *NAMED, *PUBLISHED])}. "
        "A file of architectures is what 'leco search' writes."
    )
