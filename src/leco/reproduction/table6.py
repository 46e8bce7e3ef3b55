"""Table 6: the architectures that the searches found, in the paper's columns."""

from collections.abc import Mapping

from leco.exits.architecture import Architecture, architecture_from_dict
from leco.files import write_csv, write_json, write_text
from leco.reproduction.results_folder import ResultsFolder
from leco.reproduction.searches_and_cells import Search
from leco.reproduction.tables import latex, markdown

TABLE_6 = "table6"
EDGES = ("activation_1", "activation_2", "pooler", "encoder_1", "encoder_2")
"""The edges in the paper's order."""


def write_table_6(searches: Mapping[str, Search], folder: ResultsFolder, made: str) -> str:
    """Write what each task's search found with .md, .tex and .csv beside the records, and give the Markdown.

    `made` says by which settings; it is in both but the last.
    The architectures of each task are a file too, for `leco train --exits FILE`.
    """
    header = ["task", "layer", *(edge.replace("_", " ") for edge in EDGES)]
    lines = []
    for task, search in searches.items():
        if search in folder:
            found = folder[search]["architectures"]
            write_json(folder.root / f"{TABLE_6}_{task}.json", found)
            exits = enumerate(map(architecture_from_dict, found), start=1)
            lines += [[task, str(layer), *_operations(exit)] for layer, exit in exits]
    text = "\n\n".join(["**Learned exits (the paper's Table 6)**", made, markdown(header, lines)]) + "\n"
    write_text(folder.root / f"{TABLE_6}.md", text)
    write_text(folder.root / f"{TABLE_6}.tex", latex(header, lines, made))
    write_csv(folder.root / f"{TABLE_6}.csv", header, lines)
    return text


def _operations(found: object) -> list[str]:
    assert isinstance(found, Architecture)  # a search finds no other kind
    return [getattr(found, edge) for edge in EDGES]
