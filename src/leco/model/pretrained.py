"""Loading what others have pretrained: encoders and tokenizers, with errors that say what to do."""

from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from leco.configuration import LecoConfig
from leco.data import minilm_folder, without_limits
from leco.data.hub import unreachable
from leco.errors import LecoError, first_line, parameter
from leco.model.backbones import backbone_for
from leco.model.finite import check_finite
from leco.model.foreign import check_vocabulary, refuse_code
from leco.options import naming

DEMO_BACKBONE = "demo/all-MiniLM-L6-v2"
"""The name of the encoder that comes with `pip install leco[demo]` and needs no network."""


def resolve(name: str) -> str:
    """The folder of the demo's encoder for its name; any other name as it is."""
    return str(minilm_folder()) if name == DEMO_BACKBONE else name


def load_config(name: str, layers: int | None = None) -> PreTrainedConfig:
    """The configuration of a pretrained encoder, or of its first so many `layers`; `name` is a folder or the Hub's.

    >>> load_config("encoder", layers=2).num_hidden_layers
    2

    LecoError where it is not there, its family is unknown, or it has not so many layers.
    """
    name = resolve(name)
    config = load(AutoConfig, name, "configuration")
    if isinstance(config, LecoConfig):
        raise LecoError(
            f"{parameter('model')} '{name}' is a multi-exit model already. "
            "Give the pretrained encoder it was made from."
        )
    with naming("model", value=name):
        family = backbone_for(config)
    if layers is None:
        return config
    if not 1 <= layers <= family.num_layers(config):
        raise LecoError(
            f"{parameter('layers')} must be from 1 to {family.num_layers(config)}, the number of layers of "
            f"'{name}', not {layers}."
        )
    return family.first_layers(config, layers)


def load_backbone(name: str, device: torch.device | None = None, layers: int | None = None) -> PreTrainedModel:
    """A pretrained encoder in float32, `name` a folder or a name on the Hub, on a `device` (None: the processor).

    With `layers` its first so many layers alone. LecoError as `load_config` says, and where its weights are not
    finite.
    """
    config = load_config(name, layers)  # an unknown family, before any weights are read
    backbone: PreTrainedModel = load(AutoModel, resolve(name), "model", config=config, dtype=torch.float32)
    check_finite(
        dict(backbone.named_parameters()), f"{parameter('model')} '{name}' is broken", "Download or train it again."
    )
    return backbone.to(device or torch.device("cpu"))  # type: ignore[arg-type]  # Transformers types it loosely


def load_tokenizer(name: str, config: PreTrainedConfig | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer, `name` a folder or a name on the Hub, which neither cuts nor pads by itself.

    LecoError where there is none, or it does not fit the embeddings of `config`, if given.
    """
    tokenizer: PreTrainedTokenizerBase = load(AutoTokenizer, resolve(name), "tokenizer")
    if config is not None:
        check_vocabulary(tokenizer, config, name)
    return without_limits(tokenizer)


def load(auto: Any, name: str, what: str, **options: Any) -> Any:
    """`auto.from_pretrained(name, ...)` with the many ways in which it fails as one sentence about `what` it loads.

    Nothing that comes with the model is run: what asks for that is refused.
    """
    try:
        local = Path(name).is_dir()
    except OSError as error:  # its name is too long, or a folder above it is closed
        raise LecoError(f"{parameter('model')} '{name:.80}' cannot be opened ({error.strerror}).") from error
    if not local and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise LecoError(f"{parameter('model')} '{name}': there is no such folder.")
    reason = None if local else _unreachable("model", name)
    offline = local or reason is not None
    try:
        refuse_code(name, what, local_files_only=offline)
        return auto.from_pretrained(name, local_files_only=offline, trust_remote_code=False, **options)
    except LecoError:
        raise
    except Exception as error:
        problem = first_line(error)
        if local:
            raise LecoError(f"The {what} in the folder '{name}' is missing or broken ({problem}).") from error
        raise LecoError(
            f"{parameter('model')} '{name}' is no folder here, "
            f"and {reason or f'its {what} cannot be loaded ({problem})'}. "
            "Check the name and the network, or give the path of a downloaded model."
        ) from error


_unreachable = cache(unreachable)
"""Asked once for each model, whose parts are loaded one by one."""
