"""Data that a Python program has in memory, as tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from leco.data.hub import split_table
from leco.data.tables import Table, check_names
from leco.display import listed, shortened
from leco.errors import LecoError
from leco.tokens import half_character

DataSource: TypeAlias = str | Path | Mapping[str, Any] | Any
"""A name or a path, a DataFrame, a `datasets.Dataset`, or several of these by the names of their splits."""


def name_of_source(source: DataSource) -> str:
    """What data are called: their name or path, or else their type in brackets, as no file is named.

    LecoError for a path that is not UTF-8, which models that are trained on the data could not keep.

    >>> name_of_source({"train": []})
    '<dict>'
    """
    if not isinstance(source, str | Path):
        return f"<{type(source).__name__}>"
    if half_character(str(source)):
        raise LecoError(f"The name '{shortened(source)}' is not UTF-8. Rename what it names.")
    return str(source)


def is_in_memory(name: str) -> bool:
    """Whether the name is one of data that a program had in memory.

    >>> is_in_memory("<DataFrame>"), is_in_memory("<b>file</b>")
    (True, False)
    """
    return name.startswith("<") and name.endswith(">") and name[1:-1].isidentifier()


def given_tables(source: Any) -> dict[str, Table]:
    """The tables of data in memory, by the names of their splits; those of a single table are "train".

    LecoError for what is neither a table nor a dictionary of tables.
    """
    name = name_of_source(source)
    if not isinstance(source, Mapping):
        return {"train": _table(name, source)}
    if not source:
        raise LecoError(f"{name} has no tables. Give at least one, under 'train'.")
    return {str(part): _table(f"{name}[{part!r}]", table) for part, table in source.items()}


def _table(name: str, source: Any) -> Table:
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        check_names(name, list(map(str, source.columns)))
        absent = (pd.NA, pd.NaT)
        columns = {
            str(key): [None if any(cell is one for one in absent) else cell for cell in source[key].tolist()]
            for key in source
        }
        if len(source) and not columns:
            index = listed([str(key) for key in source.index.names if key is not None])
            raise LecoError(f"{name} has no columns, only an index{index and f' ({index})'}. Give its reset_index().")
        return Table(name, columns, list(range(1, len(source) + 1))).filled()
    if all(hasattr(source, part) for part in ("features", "to_dict", "num_rows")):  # datasets is imported by its users
        return split_table(name, source)
    raise LecoError(
        f"Data may be a name, a path, a DataFrame, a datasets.Dataset or a dictionary of these, not "
        f"{shortened(repr(source))}."
    )
