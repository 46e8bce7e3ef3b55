"""Loading encoders, tokenizers and multi-exit models, with errors that say what to do."""

import json
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from leco.data import minilm_folder
from leco.errors import LecoError
from leco.model.backbones import backbone_for
from leco.model.configuration import LecoConfig
from leco.model.multi_exit import MultiExitModel

DEMO_BACKBONE = "demo/all-MiniLM-L6-v2"
"""The name of the encoder that comes with `pip install leco[demo]` and needs no network."""


def resolve(name: str) -> str:
    """The folder of the demo's encoder for its name; any other name as it is."""
    return str(minilm_folder()) if name == DEMO_BACKBONE else name


def load_backbone(name: str) -> PreTrainedModel:
    """A pretrained encoder, from a folder or from the Hub; LecoError where its family is unknown or it is not there."""
    name = resolve(name)
    config = _load(AutoConfig, name)
    if isinstance(config, LecoConfig):
        raise LecoError(
            f"--model '{name}' is a multi-exit model already. Give the pretrained encoder it was made from."
        )
    backbone_for(config)  # an unknown family, before any weights are read
    return _load(AutoModel, name)


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder or on the Hub."""
    tokenizer: PreTrainedTokenizerBase = _load(AutoTokenizer, resolve(name))
    tokenizer.padding_side = "right"
    return tokenizer


def load_model(folder: str | Path) -> MultiExitModel:
    """A trained multi-exit model from its folder; LecoError where there is none, or a foreign or broken one."""
    path = Path(folder)
    if not path.is_dir():
        raise LecoError(f"The model folder '{folder}' does not exist. 'leco fit' makes one.")
    try:
        model_type = json.loads((path / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise LecoError(f"'{folder}' is not a model folder: its config.json is missing or broken ({error}).") from error
    if model_type != LecoConfig.model_type:
        raise LecoError(
            f"'{folder}' holds a model of type '{model_type}', not a multi-exit one. "
            f"Make one of it: leco fit --model {folder} ..."
        )
    model: MultiExitModel = _load(MultiExitModel, str(path))
    model.tokenizer  # noqa: B018 - a folder without its tokenizer is broken, and this is the time to say so
    return model


def _load(auto: Any, name: str) -> Any:
    """`auto.from_pretrained(name)` with the many ways in which it fails as one sentence."""
    local = Path(name).is_dir()
    try:
        return auto.from_pretrained(name, local_files_only=local)
    except LecoError:
        raise
    except Exception as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if local:
            raise LecoError(f"'{name}' is broken or not a Transformers model folder: {first_line}") from error
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            raise LecoError(f"--model '{name}': there is no such folder.") from error
        raise LecoError(
            f"--model '{name}' is no folder here, and the Hugging Face Hub could not give it ({first_line}). "
            "Check the name and the network, or give the path of a downloaded model."
        ) from error
