"""`python -m pages.tutorial`: run the tutorial's blocks, as a reader would, and write what they print into the page.

What is printed on standard output is put between the markers behind a block, and how long all took between those of the
first paragraph. It takes some minutes, and the port 8000.
"""

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from leco.files import write_text
from pages import DOCS
from pages.blocks import Block, blocks

PAGE = DOCS / "tutorial.md"
OUTPUT = re.compile(r"<!-- output -->\n(?:```text\n)?(.*?)(?:```\n)?<!-- end -->", re.S)
MINUTES = re.compile(r"(?<=<!-- minutes -->).*?(?=<!-- /minutes -->)", re.S)
SERVE = re.compile(r"^(leco serve .*--port (\d+).*)$", re.M)


def with_output(text: str) -> Iterator[tuple[Block, re.Match[str] | None]]:
    """The blocks of a page that run, each with the place for its output, if it has one."""
    running = [one for one in blocks(text) if one.runs]
    for one, after in zip(running, [*running[1:], None], strict=True):
        yield one, OUTPUT.search(text, one.end, len(text) if after is None else after.start)


def shown(printed: str) -> str:
    """The place for an output, with it."""
    lines = "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())
    return f"<!-- output -->\n```text\n{lines}\n```\n<!-- end -->"


def printed(block: Block, folder: Path, stack: ExitStack) -> str:
    """What a block prints; a service goes on in the background until the stack ends."""
    ready = r"\1 >/dev/null 2>&1 &" "\n" r"until curl --silent --fail localhost:\2/readyz; do sleep 1; done"
    text = SERVE.sub(ready, block.text)
    command = ["bash", "-euo", "pipefail", "-c", text] if block.language == "bash" else [sys.executable, "-c", text]
    with tempfile.TemporaryFile() as output:  # a service that goes on would keep a pipe open
        done = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, start_new_session=True)
        stack.callback(end, done.pid)
        if done.wait():
            raise SystemExit(f"This block of the tutorial fails:\n{block.text}")
        output.seek(0)
        return output.read().decode()


def took(seconds: float) -> str:
    """How long the commands took here, and of the processor's time, which is more where several cores worked."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = spent.ru_utime + spent.ru_stime
    return f"{seconds / 60:.0f} minutes on {os.cpu_count()} cores ({processor / 60:.0f} of processor time)"


def end(group: int) -> None:
    """End the processes of a group, if there are any."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)


def main() -> None:
    """Run all but installations, in a folder of their own."""
    text = PAGE.read_text(encoding="utf-8")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        made = [
            (place, printed(block, Path(folder), stack))
            for block, place in with_output(text)
            if not block.text.startswith("pip ")
        ]
    for place, output in reversed(made):
        if place is not None:
            text = f"{text[: place.start()]}{shown(output)}{text[place.end() :]}"
    write_text(PAGE, MINUTES.sub(took(time.perf_counter() - started), text))


if __name__ == "__main__":
    main()
