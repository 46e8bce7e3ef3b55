"""Interleaved timing and peak memory."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common.recording import script
from leco.evaluation.speedup import in_turn


def interleaved(ways: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each way in each round; within a round each runs once, in an order that rotates."""
    names = list(ways)
    for name in names:  # warm up
        ways[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in in_turn(names, rounds):
        started = time.perf_counter()
        ways[name]()
        seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds: Mapping[str, list[float]], name: str, to: str) -> dict[str, float]:
    """Round by round `name` over `to`: median, smallest and largest."""
    ratios = [a / b for a, b in zip(seconds[name], seconds[to], strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def peak_memory(*arguments: str) -> float:
    """The peak resident memory, in MiB, of this script run on its own with `arguments`, which calls `print_peak`."""
    command = [sys.executable, "-m", script(), *arguments]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def print_peak() -> None:
    """Print the peak resident memory of this process, in MiB.

    Linux' own figure of a finished process counts that of the process which started it; this one does not.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))
