"""What comes with a pretrained model and is not taken as it is: its code never, its tokenizer only where it fits."""

from collections.abc import Iterator, Mapping
from typing import Any

from transformers import PreTrainedConfig, PreTrainedTokenizerBase
from transformers.models.auto.tokenization_auto import get_tokenizer_config

from leco.errors import LecoError

FEWEST = 0.5
"""The share of the embeddings for which a tokenizer must have tokens; families that round the number up have 0.99."""


def refuse_code(name: str, what: str, **options: Any) -> None:
    """Raise LecoError where the model `name` asks for code that comes with it, or with another one on the Hub.

    Transformers can be told to run none (`trust_remote_code=False`), but then takes the code of its own for a model
    that was made for other code, where there is some. `what` is loaded, with the `options` of `from_pretrained`.
    """
    if what == "tokenizer":
        settings = get_tokenizer_config(name, **options)
    else:
        settings, _ = PreTrainedConfig.get_config_dict(name, **options)
    if code := ", ".join(dict.fromkeys(_code(settings))):
        raise LecoError(
            f"The {what} of '{name}' needs code that comes with the model ({code:.200}), which is never run. "
            "Give a model that Transformers itself knows."
        )


def _code(settings: Any) -> Iterator[str]:
    """What in the settings, at any depth, names code outside of Transformers: a class, or a kernel on the Hub."""
    if isinstance(settings, list):
        for value in settings:
            yield from _code(value)
    if not isinstance(settings, Mapping):
        return
    for key, value in settings.items():
        if key == "auto_map" and value:
            classes = value.items() if isinstance(value, Mapping) else [("AutoTokenizer", value)]
            yield from (f"{name}: {one}" for name, one in classes)
        elif key.endswith("attn_implementation") and "/" in str(value):
            yield f"{key}: {value}"
        else:
            yield from _code(value)


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, name: str) -> None:
    """Raise LecoError unless the tokenizer of the model `name` has words, and `config` as many embeddings as it needs.

    A folder without its tokenizer's files is not refused by Transformers, which makes one of special tokens alone.
    """
    ids = tokenizer.get_vocab()
    problem = None
    outside = min(
        (token for token, number in ids.items() if number >= config.vocab_size), key=ids.__getitem__, default=""
    )
    if len(ids.keys() - set(tokenizer.all_special_tokens)) < 1:
        problem = f"knows nothing but {len(ids)} special tokens, as where its files are missing"
    elif outside:
        problem = f"has the token '{outside}' as number {ids[outside]}, but there are {config.vocab_size} embeddings"
    elif len(ids) < FEWEST * config.vocab_size:
        problem = f"has {len(ids)} tokens for {config.vocab_size} embeddings, and so is another model's"
    elif tokenizer.pad_token_id is None:
        problem = "has no padding token"
    if problem:
        raise LecoError(
            f"The tokenizer of '{name}' {problem}. Save the tokenizer with which the model was trained there."
        )
