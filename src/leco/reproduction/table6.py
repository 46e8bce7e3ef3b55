"""Table 6: the architectures that the searches found, in the paper's columns."""

from collections.abc import Mapping
from pathlib import Path

from leco.exits.architecture import Architecture, architecture_from_dict
from leco.files import read_json, write_csv, write_text
from leco.reproduction.experiment import finished
from leco.reproduction.searches_and_cells import Search
from leco.reproduction.tables import latex, markdown

TABLE_6 = "table6"
EDGES = ("activation_1", "activation_2", "pooler", "encoder_1", "encoder_2")
"""The edges in the paper's order."""


def write_table_6(searches: Mapping[str, Search], root: Path, folder: Path) -> str:
    """Write what each task's search found with .md, .tex and .csv into `folder`, and give the Markdown."""
    header = ["task", "layer", *(edge.replace("_", " ") for edge in EDGES)]
    lines = []
    for task, search in searches.items():
        if finished(search, root):
            found = map(architecture_from_dict, read_json(search.architectures(root)))
            lines += [[task, str(layer), *_operations(exit)] for layer, exit in enumerate(found, start=1)]
    text = "\n\n".join(["**Learned exits (the paper's Table 6)**", markdown(header, lines)]) + "\n"
    write_text(folder / f"{TABLE_6}.md", text)
    write_text(folder / f"{TABLE_6}.tex", latex(header, lines))
    write_csv(folder / f"{TABLE_6}.csv", header, lines)
    return text


def _operations(found: object) -> list[str]:
    assert isinstance(found, Architecture)  # a search finds no other kind
    return [getattr(found, edge) for edge in EDGES]
