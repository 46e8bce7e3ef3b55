"""Every block of every page runs, in the page's order, in a folder with small data (marks are in `blocks.py`).

Encoder and data of the demo are tiny ones (`warm.py`); a service runs in the background, on a free port, until the
page ends; and pages that make no `reviews-model` find one.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from offline import rows, write_csv, write_encoder
from pages import DOCS, ROOT
from pages.blocks import blocks
from tests.pages import warm

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

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
TRAIN = "leco train --model demo/all-MiniLM-L6-v2 --data reviews.csv --exits mha --output reviews-model"
SECONDS = 60


def write_data(folder):
    """The files that pages name."""
    for name, number, seed in (("reviews", 240, 0), ("new-reviews", 160, 1), ("newer-reviews", 120, 2), ("new", 6, 3)):
        write_csv(folder / f"{name}.csv", rows(number, seed))
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text, _ in rows(6, 4)))
    write_csv(
        folder / "rare.csv", [row for number, row in enumerate(rows(400, 5)) if number % 2 == 0 or number % 8 == 1]
    )
    pairs = zip(rows(240, 6), sorted(rows(240, 7)))
    answers = ((one, other, "same" if a == b else "other") for (one, a), (other, b) in pairs)
    write_csv(folder / "pairs.csv", answers, ("question", "answer", "label"))
    tags = (
        (text, "|".join(word for word in ("good", "fine", "bad", "dull") if word in text.split()))
        for text, _ in rows(240, 8)
    )
    write_csv(folder / "tags.csv", tags, ("text", "tags"))
    stars = ((text, 1.5 + 3 * (label == "positive") + len(text) % 5 / 10) for text, label in rows(240, 9))
    write_csv(folder / "stars.csv", stars, ("text", "stars"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder with `leco` and `python` for the path; a small model in it is at `reviews-model`."""
    folder = tmp_path_factory.mktemp("programs")
    encoder, data = write_encoder(folder / "encoder", layers=6), write_csv(folder / "demo.csv", rows(240, 10))
    shims, address = folder / "bin", folder / "socket"
    shims.mkdir()
    warm.install(shims, address)
    command = [sys.executable, "-m", "tests.pages.warm", str(address), str(encoder), str(data)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "src", ROOT / "tests")))}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment
    ) as server:
        assert server.stdout.readline() == "ready\n"
        write_data(folder)
        run(TRAIN, folder, shims)
        yield shims
        server.terminate()


def run(text, folder, shims, language="bash"):
    """Run a block as its reader would, and give the process group that may go on in the background."""
    command = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [str(shims / "python"), "-c", text]
    environment = {**os.environ, "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    said = folder / ".said"
    with said.open("w") as file:
        block = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        code = block.wait(SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(block.pid, signal.SIGTERM)
        code = "too slow"
    assert code == 0, f"{text}\n{said.read_text()[-4000:]}"
    return block.pid


def in_background(text):
    """The block with services that are started, waited for and left running."""
    ready = r"\1 >/dev/null 2>&1 &" "\n" r"until curl --silent --fail localhost:\2/readyz; do sleep 0.1; done"
    return SERVE.sub(ready, text)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def missing(needs):
    """What of the needs of a block is not on this machine."""
    return [name for name in needs if shutil.which(name) is None and not (PACKAGES / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_blocks_run(page, programs, tmp_path):
    write_data(tmp_path)
    port, groups, lacks = free_port(), [], set()
    all_blocks = blocks(page.read_text(encoding="utf-8"))
    if not any("output reviews-model" in one.text or 'output="reviews-model"' in one.text for one in all_blocks):
        shutil.copytree(programs.parent / "reviews-model", tmp_path / "reviews-model")
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
                groups.append(run(in_background(text), tmp_path, programs, one.language))
    finally:
        for group in groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)
    if lacks:
        pytest.skip(f"all blocks ran but those that need {', '.join(sorted(lacks))}")
