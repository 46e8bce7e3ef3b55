"""Data sets of the Hugging Face Hub, or of its cache where it cannot be reached."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leco.data.tables import Table
from leco.errors import LecoError, parameter

PROBE_SECONDS = 10
NAMES = {"model": "model", "dataset": "data set"}


def hub_tables(name: str, config: str | None = None, *, remedy: str) -> dict[str, Table]:
    """The splits of a Hub data set, by their names on the Hub; class labels become their names, -1 becomes None.

    One short request finds out whether the Hub can be reached, since the libraries would retry for half a minute.
    If it cannot, the cache is tried. LecoError, with the `remedy`, if the data set cannot be had.
    """
    import datasets

    reason = unreachable("dataset", name)
    with _offline(datasets, when=reason is not None):
        try:
            splits = datasets.load_dataset(name, config, trust_remote_code=False)
        except Exception as error:  # whatever the libraries raise: the network, the data, the cache
            if config is None and "Config name is missing" in str(error):
                known = re.search(r"\[.*?\]", str(error))
                which = f": {known.group()[1:-1]}" if known else ""
                raise LecoError(
                    f"'{name}' has several configurations{which}. Name one with {parameter('data_config')}."
                ) from error
            reason = reason or f"loading it failed with {type(error).__name__} ({_first_line(error)})"
            raise LecoError(f"'{name}' is no file or folder here, and {reason}. {remedy}") from error
    return {part: split_table(f"{name} ({part})", split) for part, split in splits.items()}


def unreachable(kind: str, name: str) -> str | None:
    """Why the Hub cannot give a `kind` ("model" or "dataset") of this name, or None if it can.

    One short request finds out, since the libraries would retry for half a minute.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        HfApi().repo_info(name, repo_type=kind, timeout=PROBE_SECONDS)
    except RepositoryNotFoundError:
        return f"the Hugging Face Hub has no such {NAMES[kind]} that is open to you"
    except Exception as error:  # the HTTP library's own classes change between versions
        return f"the Hugging Face Hub cannot be reached ({type(error).__name__})"
    return None


@contextmanager
def _offline(datasets: Any, when: bool) -> Iterator[None]:
    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or when
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def saved_tables(folder: Path) -> dict[str, Table]:
    """The splits of a folder that `save_to_disk` of a DatasetDict wrote, or that of a Dataset, as "train".

    LecoError where they cannot be read.
    """
    import datasets

    try:
        saved = datasets.load_from_disk(str(folder))
    except Exception as error:  # whatever the library raises
        raise LecoError(f"The data set in '{folder}' cannot be read ({_first_line(error)}). Save it again.") from error
    splits = saved if isinstance(saved, dict) else {"train": saved}
    return {str(part): split_table(f"{folder} ({part})", split) for part, split in splits.items()}


def is_saved(folder: Path) -> bool:
    """Whether `save_to_disk` wrote a folder."""
    return any((folder / name).is_file() for name in ("dataset_dict.json", "state.json"))


def split_table(name: str, split: Any) -> Table:
    """The table of a `datasets.Dataset`; class labels become their names, -1 becomes None."""
    classes = {column: names for column, feature in split.features.items() if (names := _class_names(feature))}
    columns: Mapping[str, list[Any]] = split.to_dict()
    named = {column: [_named(cell, classes[column]) for cell in columns[column]] for column in classes}
    return Table(name, {**columns, **named}, list(range(1, len(split) + 1)), classes=classes)


def _class_names(feature: Any) -> tuple[str, ...]:
    """The names of a ClassLabel, or of a list of them; none for other features."""
    return tuple(getattr(getattr(feature, "feature", feature), "names", None) or ())


def _named(cell: Any, names: tuple[str, ...]) -> Any:
    if isinstance(cell, list):
        return [_named(index, names) for index in cell]
    return None if cell is None or cell < 0 else names[cell]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(".")
