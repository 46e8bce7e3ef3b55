"""What a service answers under load, early and at full depth, by each policy, and beside the simplest endpoint.

python -m benchmarks.serving SST2 --onnx FILES --glue-dir GLUE             # benchmarks/results/serving.json
python -m benchmarks.serving --onnx MPNET --glue-dir GLUE --larger         # benchmarks/results/serving_larger.json

SST2 is the folder of a model of SST-2, whose dev sentences are asked, one in each request, from another process. Each
service has one thread, so that the load has a core of its own. Saturation is what 32 clients get answered, each one at
a time. The loads of the open loop, whose requests come whether or not answers do, are shares of the saturation of the
first way, which is at full depth. Services run one at a time, in turn over the rounds; medians are over the rounds.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.common.recording import DOCS, read, report, result_path, source, write_between
from leco.data import load_data
from leco.reproduction.tables import markdown

RESULT, LARGER, PAGE = "benchmarks/serving", "benchmarks/serving_larger", DOCS / "serving.md"
BEGIN, END = "<!-- load: begin -->", "<!-- load: end -->"
PORT, FULL = 8765, "whole, full depth"
LOADS = 0.5, 0.8, 0.95, 1.2
ALONE = 200
"""Requests that are sent one after the other, each when the one before has its answer."""
READY = 120
"""Seconds in which a service must be ready."""


def ways(model, files):
    """For each way the command that serves it, and what its requests have beside the text."""
    serve = [sys.executable, "-m", "leco", "serve"]
    flags = ["--port", str(PORT), "--threads", "1", "--device", "cpu"]
    found = {}
    if model:
        plain = [sys.executable, "-m", "benchmarks.common.plain_endpoint", str(model), str(PORT)]
        found = {FULL: ([*serve, str(model), *flags], {"full_depth": True}), "plain endpoint": (plain, {})}
        for policy in ("whole", "refill", "queues"):
            found[policy] = [*serve, str(model), *flags, "--policy", policy], {}
    for file in files:
        found[f"{file.name}, full depth"] = [*serve, str(file), *flags], {"full_depth": True}
        found[file.name] = [*serve, str(file), *flags], {}
    return found


def load(rate, seconds, bodies):
    """What comes of a load, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.common.load", "127.0.0.1", str(PORT), str(rate), str(seconds)]
    return json.loads(
        subprocess.run(command, input="\n".join(bodies), capture_output=True, text=True, check=True).stdout
    )


def wait_until_ready(process):
    """Return once it answers."""
    deadline = time.monotonic() + READY
    body = json.dumps({"texts": ["a"]}).encode()
    while True:
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{PORT}/predict", body, {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=5).read()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def alone(bodies):
    """The milliseconds of a request alone, and its share that is neither tokenizing nor layers."""
    connection, whole, shares = http.client.HTTPConnection("127.0.0.1", PORT), [], []
    for body in bodies[:ALONE]:
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        names = ("x-total-time", "x-tokenization-time", "x-inference-time")
        if names[0] in answer.headers:
            total, tokens, layers = (float(answer.headers[name]) for name in names)
            whole.append(total)
            shares.append(1 - (tokens + layers) / total)
    return (median(whole), median(shares)) if whole else (None, None)


def measure(command, more, texts, seconds, full):
    """A way under all loads, which are shares of `full`; None is its own saturation."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    bodies = [json.dumps({"texts": [text], **more}) for text in texts]
    try:
        wait_until_ready(process)
        load(0, 2, bodies)
        by_itself = alone(bodies)
        saturation = load(0, seconds, bodies)["per_second"]
        base = full or saturation
        return saturation, [load(share * base, seconds, bodies) for share in LOADS], by_itself
    finally:
        process.terminate()
        process.wait()


def table(result):
    """The Markdown of a result."""
    rows = result["rows"]
    full = rows[0]
    lines = []
    for row in rows:
        latencies = [
            "-" if one["p50"] is None else f"{1000 * one['p50']:.0f} / {1000 * one['p99']:.0f}" for one in row["loads"]
        ]
        lines.append(
            [
                *(row["way"], f"{row['saturation']:.0f}", f"{row['saturation'] / full['saturation']:.2f}"),
                *(["-", "-"] if row["alone"] is None else [f"{row['alone']:.1f}", f"{row['overhead']:.0%}"]),
                *latencies,
            ]
        )
    columns = ["", "texts/s", "of full depth's", "alone, ms", "of it HTTP and engine"]
    columns += [f"{share:g}: p50 / p99, ms" for share in LOADS]
    setup = f"medians of {rows[0]['rounds']} rounds of {rows[0]['seconds']:g} s for each load, one sentence a request"
    return f"""Saturation, a request alone with the share of its time that is neither tokenizing nor layers, and
latencies where requests come at a share of the saturation of full depth ({full["saturation"]:.0f} a second): {setup}.

{markdown(columns, lines)}

{source(result)}"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--onnx", type=Path, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--larger", action="store_true", help="a result of its own, for another encoder")
    parser.add_argument("--render", action="store_true")
    arguments = parser.parse_args()
    if not arguments.render:
        texts = load_data("glue/sst-2", glue_dir=arguments.glue_dir).dev.texts
        found, full = {}, None
        for _ in range(arguments.rounds):
            for name, (command, more) in ways(arguments.model, arguments.onnx).items():
                one = measure(command, more, texts, arguments.seconds, full)
                full = full or one[0]  # the first way's sets the loads
                found.setdefault(name, []).append(one)
        name = LARGER if arguments.larger else RESULT
        report(name, [_medians(way, some, arguments) for way, some in found.items()])
    write_between(
        PAGE, BEGIN, END, "\n\n".join(table(read(name)) for name in (RESULT, LARGER) if result_path(name).exists())
    )


def _medians(name, some, arguments):
    loads = [
        {
            key: None if any(one[1][place][key] is None for one in some) else median(one[1][place][key] for one in some)
            for key in some[0][1][place]
        }
        for place in range(len(LOADS))
    ]
    known = some[0][2][0] is not None
    by_itself = [median(one[2][place] for one in some) if known else None for place in range(2)]
    return {
        **{
            "way": name,
            "rounds": len(some),
            "seconds": arguments.seconds,
            "saturation": median(one[0] for one in some),
        },
        **dict(zip(("alone", "overhead"), by_itself, strict=True)),
        "loads": loads,
    }


if __name__ == "__main__":
    main()
