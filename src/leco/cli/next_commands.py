"""The commands that are printed as what can be done next: a shell takes them as they are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leco.cli.parameters import flag_of
from leco.display import quoted
from leco.options import setting_names
from leco.settings import SourceOptions


def command_line(command: str, *words: object, **settings: Any) -> str:
    """A command with files as arguments, and with the flags of the settings that are given, which are not None.

    >>> command_line("train", model="a b", text_columns=["x", "-y"], bf16=True, standardize=False, seed=None)
    "leco train --model 'a b' --text-column x --text-column=-y --bf16 --no-standardize"
    >>> command_line("predict", "-my-model")
    'leco predict ./-my-model'
    """
    files = [quoted(f"./{word}" if str(word).startswith("-") and word != "-" else word) for word in words]
    flags = [flag for name, value in settings.items() if value is not None for flag in _flags(flag_of(name), value)]
    return " ".join(["leco", command, *files, *flags])


def source_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the options that say how data are read."""
    return {name: options[name] for name in setting_names(SourceOptions) if name in options}


def predict_line(path: object, text_columns: Sequence[str] | None = None) -> str:
    """The command that answers a text, or a pair for a model of pairs."""
    if text_columns is None or len(text_columns) < 2:
        return f"echo 'a text of yours' | {command_line('predict', path)}"
    pair = json.dumps(dict(zip(text_columns, ("a text of yours", "and its pair"), strict=True)), ensure_ascii=False)
    return f"echo {quoted(pair)} | {command_line('predict', path, '-')} --format jsonl"


def _flags(flag: str, value: Any) -> Iterable[str]:
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    values = value if isinstance(value, list | tuple) else [value]
    return [f"{flag}{'=' if str(one).startswith('-') else ' '}{quoted(one)}" for one in values]
