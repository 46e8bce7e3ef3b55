"""Answer by an exported file in the environment that this runs in, and say how large that is. Used by `.ci/dist`."""

import subprocess
import sys
import sysconfig
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import leco

answers = leco.load(sys.argv[1]).predict(["a good film", "a bad film"], batch_size=2)
assert [answer.label in ("negative", "positive") for answer in answers] == [True, True], answers
assert not [name for name in ("torch", "transformers", "pandas", "pyarrow") if find_spec(name)]

command = [str(Path(sys.executable).with_name("leco"))]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that reads a text."""
    return subprocess.run([*command, *arguments], input="a good film\n", capture_output=True, text=True, check=False)


said, refused = run("predict", sys.argv[1], "--json"), run("predict", "tests/saved/0.1/model")
assert str(answers[0].label) in said.stdout, said
assert "pip install 'leco[train]'" in refused.stderr, refused


def seconds(*arguments: str) -> float:
    """What a command takes, the median of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run(*arguments)
        times.append(time.perf_counter() - start)
    return median(times)


installed = Path(sysconfig.get_path("purelib"))
size = sum(file.stat().st_size for file in installed.rglob("*") if file.is_file()) / 2**20
sys.stdout.write(f"  it answers; {size:.0f} MiB are installed; leco --help takes {seconds('--help'):.2f} s\n")
