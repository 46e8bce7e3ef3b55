"""Blocks and notebooks are run here: in a real shell, by the programs of a warm process (`warm.py`)."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from offline import rows, write_csv, write_encoder
from pages import ROOT
from tests.pages import warm

TRAIN = "leco train --model demo/all-MiniLM-L6-v2 --data reviews.csv --exits mha --output reviews-model"
SECONDS = 120


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
    for part in ("reviews/year=2024/part-0", "reviews/year=2025/part-0", "more/part-7"):
        path = folder / f"{part}.parquet"
        path.parent.mkdir(parents=True)
        pd.DataFrame({"text": [text for text, _ in rows(20, part)]}).to_parquet(path)


@dataclass(frozen=True)
class Programs:
    """`leco` and `python` for the path, in a folder beside which there is a small model, `reviews-model`."""

    folder: Path

    @property
    def model(self):
        """The model."""
        return self.folder.with_name("reviews-model")

    def run(self, text, folder, language="bash"):
        """Run a block as its reader would; what it printed, and the process group that may go on in the background."""
        shell = ["bash", "-euo", "pipefail", "-c", text]
        command = shell if language == "bash" else [str(self.folder / "python"), "-c", text]
        path = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        printed, said = folder / ".printed", folder / ".said"
        with printed.open("w") as output, said.open("w") as errors:
            block = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        try:
            code = block.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(block.pid, signal.SIGTERM)
            code = "too slow"
        assert code == 0, f"{text}\n{said.read_text()[-4000:]}"
        return printed.read_text(), block.pid


def started(folder):
    """The programs in a folder, with the process behind them, which the caller ends."""
    encoder, data = write_encoder(folder / "encoder", layers=6), folder / "demo"
    for part, number in (("train", 160), ("dev", 40), ("test", 160)):
        write_csv(data / f"{part}.csv", rows(number, part))
    shims, address = folder / "bin", folder / "socket"
    shims.mkdir()
    warm.install(shims, address)
    command = [sys.executable, "-m", "tests.pages.warm", str(address), str(encoder), str(data)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "src", ROOT / "tests")))}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment, start_new_session=True
    )
    assert server.stdout.readline() == "ready\n"
    programs = Programs(shims)
    write_data(folder)
    programs.run(TRAIN, folder)
    return programs, server
