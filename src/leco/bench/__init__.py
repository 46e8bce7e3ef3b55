"""Latency, throughput and score of a model on this machine, beside the baselines that users could take instead."""

from leco.bench.contenders import Contenders, FileContenders
from leco.bench.measure import Row, bench
from leco.bench.plot import draw
from leco.bench.ways import Way
from leco.files import FIGURE_MARKS

MARKS = {"bench.json": b'"rounds"', "bench.png": FIGURE_MARKS[".png"]}
"""What a benchmark leaves, and by what each file is known again."""

__all__ = ["MARKS", "Contenders", "FileContenders", "Row", "Way", "bench", "draw"]
