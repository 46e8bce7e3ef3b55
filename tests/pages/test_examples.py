"""Every cell of the notebooks runs, in order, with the tiny encoder and the small file of the pages' tests."""

import ast
import json

import pytest

from pages import ROOT
from pages.blocks import blocks

pytest.importorskip("torch")

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def cells(notebook):
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def test_the_readme_names_them_all():
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in NOTEBOOKS if f"({path.name})" not in readme] == []
    assert len(NOTEBOOKS) >= 4


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_not_committed(notebook):
    assert [cell for cell in cells(notebook) if cell["outputs"] or cell["execution_count"]] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_run(notebook, programs, tmp_path):
    """As one program, which has the names of one cell in the next; magics would be no Python."""
    program = "\n\n".join("".join(cell["source"]) for cell in cells(notebook))
    ast.parse(program)
    programs.run(program, tmp_path, language="python")


def test_the_page_shows_the_example_in_node():
    page = (ROOT / "docs" / "how-to" / "export.md").read_text(encoding="utf-8")
    (shown,) = [block.text for block in blocks(page) if block.file == "classify.mjs"]
    assert shown == (ROOT / "examples" / "node" / "classify.mjs").read_text(encoding="utf-8")
