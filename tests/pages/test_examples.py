"""Every cell of the notebooks runs, in order, with the tiny encoder and the small file of the pages' tests."""

import ast
import json
import os
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pages import ROOT
from pages.blocks import blocks
from tests.pages.running import write_data

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


def test_python_in_the_readme_runs(programs, tmp_path):
    """As it is there, but for the encoder, which would come from a hub."""
    write_data(tmp_path)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = [one.text for one in blocks(readme) if one.language == "python"]
    for text in found:
        printed, _ = programs.run(text.replace("bert-base-uncased", "demo/all-MiniLM-L6-v2"), tmp_path, "python")
        assert re.search(r"^(positive|negative) 0\.\d+ left at layer \d of 6$", printed, re.M)
    assert found


def test_the_page_shows_the_example_in_node():
    page = (ROOT / "docs" / "how-to" / "export.md").read_text(encoding="utf-8")
    (shown,) = [block.text for block in blocks(page) if block.file == "classify.mjs"]
    assert shown == (ROOT / "examples" / "node" / "classify.mjs").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java here")
def test_the_program_in_java_sends_texts_as_they_are(tmp_path):
    """The body of its request, whatever is in the texts; with the service it runs among the page's blocks."""
    bodies = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"answers")

    page = (ROOT / "docs" / "how-to" / "export.md").read_text(encoding="utf-8")
    (program,) = [block.text for block in blocks(page) if block.file == "Ask.java"]
    with HTTPServer(("127.0.0.1", 0), Service) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        (tmp_path / "Ask.java").write_text(program.replace("8000", str(service.server_port)))
        texts = ["a film that is good", 'they call it "fine"', r"a back\slash", "schön"]
        command, utf8 = ["java", "Ask.java", *texts], {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, cwd=tmp_path, env=utf8, capture_output=True, text=True, check=True)
        service.shutdown()
    assert done.stdout.strip() == "answers"
    assert [(path, json.loads(body)) for path, body in bodies] == [("/predict", {"texts": texts})]
