"""What a service counts, as Prometheus reads it."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from leco.runtime import Watched
from leco.serving.schemas import TextAnswer

if TYPE_CHECKING:
    from leco.serving.service import Loaded, Timing

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAYERS = tuple(map(float, range(49)))
SIZES = tuple(2.0**power for power in range(15))
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder in which the processes of a service count together."""
Several = Literal["livesum", "livemax"]
"""What a gauge is of several processes that run; those that have ended are of no account."""
MOST: Several = "livemax"
"""The monitor's: all processes count in one file, and who looked last has the most."""


class Metrics:
    """The counters of one process, and where it is one of several, of all of them.

    Args:
        on_alarm: told, in a sentence, that the monitor found a promise contradicted.

    """

    def __init__(self, on_alarm: Callable[[str], None]) -> None:
        self.registry = CollectorRegistry()
        self._on_alarm = on_alarm
        self._loaded: Callable[[], Loaded]
        self.requests = self._counter("requests", "Requests by their status.", ["status"])
        self.texts = self._counter("texts", "Texts that were answered.")
        self.truncated = self._counter("truncated_texts", "Texts that were cut.")
        self.layers_run = self._counter("layers_run", "Layers that answered texts ran.")
        self.layers_all = self._counter("layers_full_depth", "Layers that they would have run at full depth.")
        self.exit_layers = self._histogram("exit_layer", "Layers at which texts left.", LAYERS)
        self.batch_rows = self._histogram("batch_rows", "Texts of batches when they begin.", SIZES)
        self.batch_tokens = self._histogram("batch_tokens", "Tokens of batches when they begin.", SIZES)
        parts = ("queue", "tokenizing", "computing", "whole")
        self.seconds = {
            one: self._histogram(f"{one}_seconds", f"Seconds of requests: {one}.", SECONDS) for one in parts
        }
        self._seen = {
            "queue_texts": self._gauge("queue_texts", "Texts that wait."),
            "queue_tokens": self._gauge("queue_tokens", "Tokens that wait."),
            "monitor_checked": self._gauge("monitor_checked", "Texts that were compared with full depth.", MOST),
            "monitor_disagreements": self._gauge("monitor_disagreements", "Of these, those that disagreed.", MOST),
            "monitor_alarm": self._gauge("monitor_alarm", "Whether the monitor found a promise contradicted.", MOST),
            "monitor_failing": self._gauge("monitor_failing", "Whether the monitor's last check failed.", MOST),
        }

    def answered(self, answers: Sequence[TextAnswer]) -> None:
        """Count answers."""
        self.texts.inc(len(answers))
        self.truncated.inc(sum(one.truncated for one in answers))
        self.layers_run.inc(sum(one.exit_layer for one in answers))
        self.layers_all.inc(sum(one.num_layers for one in answers))
        for one in answers:
            self.exit_layers.observe(one.exit_layer)

    def batch(self, rows: int, tokens: int) -> None:
        """Count a batch that begins."""
        self.batch_rows.observe(rows)
        self.batch_tokens.observe(tokens)

    def request(self, status: int, timing: "Timing") -> None:
        """Count a request that has ended."""
        self._look()
        self.requests.labels(str(status)).inc()
        self.seconds["whole"].observe(timing.whole)
        if timing.computing:
            for name, value in (
                ("queue", timing.waiting),
                ("tokenizing", timing.tokenizing),
                ("computing", timing.computing),
            ):
                self.seconds[name].observe(value)

    def alarm(self, sentence: str) -> None:
        """Note that the monitor found a promise contradicted."""
        self._look()
        self._on_alarm(sentence)

    def watch(self, loaded: "Callable[[], Loaded]") -> None:
        """Ask what is loaded how much waits, and what the monitor has seen."""
        self._loaded = loaded
        self._look()

    def text(self) -> bytes:
        """All of it, in Prometheus' format."""
        self._look()
        if SHARED not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)
        return generate_latest(together)

    def _look(self) -> None:
        """Set the gauges."""
        loaded = self._loaded()
        found: dict[str, float] = {"queue_texts": len(loaded.engine.room), "queue_tokens": loaded.engine.room.tokens}
        if isinstance(loaded.predictor, Watched):
            watch = loaded.predictor.watch
            found |= {
                "monitor_checked": watch.checked,
                "monitor_disagreements": watch.disagreements,
                "monitor_alarm": watch.alarm is not None,
                "monitor_failing": loaded.predictor.failing,
            }
        for name, value in found.items():
            self._seen[name].set(value)

    def _counter(self, name: str, about: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"leco_{name}", about, labels, registry=self.registry)

    def _gauge(self, name: str, about: str, of_several: Several = "livesum") -> Gauge:
        return Gauge(f"leco_{name}", about, registry=self.registry, multiprocess_mode=of_several)

    def _histogram(self, name: str, about: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(f"leco_{name}", about, buckets=buckets, registry=self.registry)
