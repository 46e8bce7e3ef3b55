"""Every block of every page runs, in the page's order, in a folder with small data (marks are in `blocks.py`).

Where a page shows what a block prints, it must print lines of the kinds there. Encoder and data of the demo are tiny
ones (`warm.py`); a service runs in the background, on a free port, until the page ends; and pages that make no
`reviews-model` find one.
"""

import contextlib
import os
import re
import shutil
import signal
import socket

import pytest

from pages import DOCS, ROOT
from pages.blocks import blocks
from pages.tutorial import with_output
from tests.pages.running import write_data

pytest.importorskip("torch")

GENERATED = ("cli.md", "settings.md", "results.md", "benchmarks.md")
"""Pages whose commands are examples out of the help, run by tests of the commands, or name what measured a table."""
PAGES = [
    path
    for path in sorted(DOCS.rglob("*.md"))
    if path.name not in GENERATED
    and path.parent.name != "python"
    and any(one.runs for one in blocks(path.read_text(encoding="utf-8")))
]
SERVE = re.compile(r"^(leco serve [^\n&#]*--port (\d+)[^\n&#]*)(#.*)?$", re.M)
PACKAGES = ROOT / "examples" / "node" / "node_modules"


def in_background(text):
    """The block with services that are started, waited for and left running."""
    ready = r"\1 >/dev/null 2>&1 &" "\n" r"until curl --silent --fail localhost:\2/readyz; do sleep 0.1; done"
    return SERVE.sub(ready, text)


LABELS = "negative", "positive"


def kinds_of_lines(text):
    """What is the same of two outputs whatever numbers and labels are: the words with which their lines begin."""
    first = (line.split()[0].strip('{":,') for line in text.splitlines() if line.strip())
    return {"label" if word in LABELS else word for word in first if word.replace("-", "").isalpha()}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def missing(needs):
    """What of the needs of a block is not on this machine."""
    return [name for name in needs if shutil.which(name) is None and not (PACKAGES / name).exists()]


def test_kinds_of_lines():
    assert kinds_of_lines("Saved x\n 1 0.5\n") == kinds_of_lines("Saved y\n 2 0.7\n 3 0.8\n") == {"Saved"}
    assert kinds_of_lines("Saved x\n") != kinds_of_lines("error: x\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_blocks_run(page, programs, tmp_path):
    write_data(tmp_path)
    port, groups, lacks = free_port(), [], set()
    all_blocks = blocks(source := page.read_text(encoding="utf-8"))
    outputs = {one: found[1] for one, found in with_output(source) if found and found[1]}
    if not any("output reviews-model" in one.text or 'output="reviews-model"' in one.text for one in all_blocks):
        shutil.copytree(programs.model, tmp_path / "reviews-model")
    if PACKAGES.exists():
        (tmp_path / "node_modules").symlink_to(PACKAGES)
    try:
        for one in all_blocks:
            text = one.text.replace("8000", port)
            if one.file:
                (tmp_path / one.file).write_text(text)
            elif one.runs and (absent := missing(one.needs)):
                lacks |= {*absent}
            elif one.runs:
                printed, group = programs.run(in_background(text), tmp_path, one.language)
                groups.append(group)
                if one in outputs:
                    assert kinds_of_lines(outputs[one]) <= kinds_of_lines(printed)  # some lines depend on the data
    finally:
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)
    if lacks:
        pytest.skip(f"all blocks ran but those that need {', '.join(sorted(lacks))}")
