"""Latency, throughput and score of a model on this machine, beside the baselines that users could take instead."""

from leco.bench.contenders import Contenders
from leco.bench.measure import Row, bench
from leco.bench.plot import draw
from leco.bench.ways import Way

__all__ = ["Contenders", "Row", "Way", "bench", "draw"]
