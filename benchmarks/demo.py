"""What `leco demo` gains, and what it takes: minutes and peak memory of the whole command.

python -m benchmarks.demo          # writes benchmarks/results/demo.json
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common.recording import report

SHOWN = (
    "rows",
    "exit_scores",
    "avg",
    "best",
    "full_depth_score",
    "criterion",
    "score",
    "speedup",
    "speedup_factor",
    "mean_exit_layer",
)


def main():
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        command = [str(Path(sys.executable).with_name("leco")), "demo", "--output", str(Path(folder, "demo")), "--json"]
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        minutes = (time.perf_counter() - started) / 60
    results = json.loads(printed)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    shown = {name: results[name] for name in SHOWN}
    report("benchmarks/demo", [{**shown, "minutes": minutes, "peak_mib": peak}])


if __name__ == "__main__":
    main()
