"""What many texts cost: rows per core-second in ONNX Runtime, and how many replicas a load and a p99 need.

python -m benchmarks.scaling SST2 [SST2-OF-MPNET] --glue-dir GLUE    # writes benchmarks/results/scaling.json
python -m benchmarks.scaling --render                                # the tables of docs/scaling.md alone

Each model is exported in float32 and int8, and each file is calibrated on one half of SST-2's test sentences, so that
with 90 % confidence at most 2 % of answers differ from its own at full depth. The other half is answered by one thread:
at batch size 32, for the rows per core-second, and one at a time, for the service times of the simulation. There,
requests of one text come at random (Poisson) and wait in one queue for the first of so many replicas, of one core each,
that is free.
"""

import argparse
import heapq
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import leco
from benchmarks.common.recording import DOCS, read, report, source, write_between
from benchmarks.common.timing import interleaved
from leco.data import load_data
from leco.export import export_onnx
from leco.loading import load
from leco.reproduction.tables import markdown

RESULT, PAGE = "benchmarks/scaling", DOCS / "scaling.md"
BEGIN, END = "<!-- scaling: begin -->", "<!-- scaling: end -->"
MAX_DROP, CONFIDENCE = 0.02, 0.9
BATCH, ROUNDS = 32, 5
LOADS, TARGETS = (10, 100, 1_000), (0.05, 0.1)
"""Texts a second, and the p99 in seconds."""
REQUESTS = 100_000
BILLION = 1e9


def files(folder, calibration, work):
    """The exported files of a model by precision, each calibrated on its own answers."""
    model = leco.MultiExitModel.from_pretrained(folder)
    made = {}
    for precision in ("float32", "int8"):
        made[precision] = work / f"{folder.name}-{precision}.onnx"
        export_onnx(model, made[precision], int8=precision == "int8")
        leco.calibrate(made[precision], calibration, loss="disagreement", max_drop=MAX_DROP, confidence=CONFIDENCE)
    return model.num_layers, made


def ways(made):
    """By name, a file's predictor and when it leaves."""
    found = {}
    for precision, file in made.items():
        predictor = load(file, threads=1)
        found[f"{precision}, full depth"] = predictor, predictor.full_depth
        found[f"{precision}, certified"] = predictor, predictor.criterion
    return found


def measure(folder, calibration, texts, work):
    """The rows of a model."""
    layers, made = files(folder, calibration, work)
    found = ways(made)
    encodings = {name: predictor.encode(texts) for name, (predictor, _) in found.items()}

    def run(name, batch_size):
        predictor, criterion = found[name]
        return predictor.decide(encodings[name], criterion, batch_size=batch_size)

    together = interleaved({name: lambda name=name: run(name, BATCH) for name in found}, ROUNDS)
    rows = []
    for name, (predictor, criterion) in found.items():
        alone = [
            interleaved({name: lambda one=one: predictor.decide([one], criterion)}, ROUNDS)[name]  # noqa: B023
            for one in encodings[name]
        ]
        service = np.median(alone, axis=1)
        rows.append(
            {
                "model": f"{layers} layers",
                "way": name,
                "criterion": str(criterion),
                "rows_per_core_second": len(texts) / float(np.median(together[name])),
                "layers": float(run(name, 1).exit_layers.mean()) / layers,
                "service_ms": [round(1000 * float(np.quantile(service, at)), 3) for at in (0.5, 0.99)],
                "replicas": {
                    f"{rate}/s, p99 {target:g} s": replicas(service, rate, target)
                    for rate in LOADS
                    for target in TARGETS
                },
            }
        )
    return rows


def replicas(service, rate, target):
    """The fewest replicas with which 99 % of the simulated requests are answered in time; None where none is enough."""
    if np.quantile(service, 0.99) > target:
        return None
    number = ceil(rate * service.mean() + 1e-9)
    while simulated_p99(service, rate, number) > target:
        number += 1
    return number


def simulated_p99(service, rate, number):
    """The 99th percentile of the seconds that requests of a simulated queue take."""
    random = np.random.default_rng(0)
    arrivals = np.cumsum(random.exponential(1 / rate, REQUESTS))
    takes = random.choice(service, REQUESTS)
    free, taken = [0.0] * number, np.empty(REQUESTS)
    for place, (arrival, seconds) in enumerate(zip(arrivals, takes, strict=True)):
        end = max(arrival, free[0]) + seconds
        heapq.heapreplace(free, end)
        taken[place] = end - arrival
    return float(np.quantile(taken, 0.99))


def tables():
    """The Markdown."""
    result = read(RESULT)
    rows = result["rows"]
    costs = [
        [
            *(row["model"], row["way"], f"{row['layers']:.0%}", f"{row['rows_per_core_second']:.0f}"),
            f"{BILLION / row['rows_per_core_second'] / 3600:,.0f}",
        ]
        for row in rows
    ]
    needed = list(rows[0]["replicas"])
    queues = [
        [
            *(row["model"], row["way"], "{:.1f} / {:.1f}".format(*row["service_ms"])),
            *("-" if row["replicas"][one] is None else str(row["replicas"][one]) for one in needed),
        ]
        for row in rows
    ]
    columns = ["model", "way", "layers run", "rows per core-second", "core-hours for a billion"]
    return f"""{markdown(columns, costs)}

Replicas of one core each that a load of single texts needs, so that 99 % are answered in time (service: a text alone,
its median and 99th percentile):

{markdown(["model", "way", "service, ms", *needed], queues)}

{source(result)}"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--render", action="store_true")
    arguments = parser.parse_args()
    if not arguments.render:
        texts = load_data("glue/sst-2", glue_dir=arguments.glue_dir).test.texts
        calibration = pd.DataFrame({"text": texts[::2]})
        with TemporaryDirectory() as work:
            rows = [row for model in arguments.models for row in measure(model, calibration, texts[1::2], Path(work))]
        report(RESULT, rows)
    write_between(PAGE, BEGIN, END, tables())


if __name__ == "__main__":
    main()
