"""What bounds the engines of bulk prediction: how long each takes to begin, and its rows per second after that.

python -m benchmarks.engines SST2            # 20,000 texts, 3 rounds; writes benchmarks/results/engines.json
python -m benchmarks.engines --render        # the table of docs/scaling.md alone

SST2 is a model folder or an exported file. Each engine answers a few texts and many, as whole commands and in turn; by
the difference, begin and rows are told apart. Beside them stands what the model alone takes for the same texts, already
tokenized, sorted by length and on one thread: its share of a core's time in an engine is what is left for the model
once rows are read, tokenized, carried to where they are answered, and written. A cluster has as many cores as `CORES`.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

import leco
from benchmarks.bulk import BATCH, write_texts
from benchmarks.common.recording import DOCS, read, report, source, write_between
from benchmarks.common.timing import interleaved
from leco.reproduction.tables import markdown

RESULT, PAGE = "benchmarks/engines", DOCS / "scaling.md"
BEGIN, END = "<!-- engines: begin -->", "<!-- engines: end -->"
CORES = 2
FEW, PARTS = 400, 8
"""Texts of the small job, and parts of each."""
SPARK = """
import sys
from pyspark.sql import SparkSession
from leco.spark import predict_udf
model, texts, out, cores, batch_size = sys.argv[1:]
spark = SparkSession.builder.master(f"local[{cores}]").config("spark.ui.enabled", "false").getOrCreate()
answer = predict_udf(model, batch_size=int(batch_size))
spark.read.parquet(texts).withColumn("answer", answer("text")).write.parquet(out)
"""


def commands(model):
    """By name, the command that an engine is; each goes over `CORES` cores."""
    predict = [sys.executable, "-m", "leco", "predict", model, "{texts}", "--output", "{out}", "--batch-size", BATCH]
    spark = [sys.executable, "-c", SPARK, model, "{texts}", "{out}", CORES, BATCH]
    return {
        f"local, one process of {CORES} threads": [*predict, "--workers", 1],
        f"local, {CORES} processes": [*predict, "--workers", CORES],
        f"Ray, {CORES} actors": [*predict, "--workers", CORES, "--engine", "ray"],
        f"Spark, {CORES} tasks at a time": spark,
    }


def run(command, texts, out):
    """Run an engine from start to end; what it says is kept, and shown where it fails."""
    rmtree(out, ignore_errors=True)
    filled = [str(word).replace("{texts}", str(texts)).replace("{out}", str(out)) for word in command]
    settings = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(filled, capture_output=True, text=True, env={**os.environ, **settings}, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr[-2000:]}\nit ended with {done.returncode}: {' '.join(filled)[:200]}")


def measure(model, number, rounds):
    """A row for each engine."""
    with TemporaryDirectory() as work:
        folder = Path(work)
        jobs = {}
        for size in (FEW, number):
            (folder / str(size)).mkdir()
            write_texts(folder / str(size), size, part=size // PARTS)
            jobs[size] = folder / str(size) / "parts"
        texts = pq.read_table(folder / str(number) / "one.parquet")["text"].to_pylist()
        predictor = leco.load(model, threads=1)
        encodings = sorted(predictor.encode(texts), key=lambda one: len(one["input_ids"]))
        engines = commands(model)
        ways = {
            (name, size): lambda command=command, size=size: run(command, jobs[size], folder / "out")
            for name, command in engines.items()
            for size in jobs
        }
        ways["model"] = lambda: predictor.decide(encodings, batch_size=BATCH)
        seconds = interleaved(ways, rounds)
    alone = number / median(seconds["model"])
    rows = [{"engine": "the model alone, one thread", "rows_per_second": alone}]
    for name in engines:
        few, many = (np.array(seconds[name, size]) for size in (FEW, number))
        each = (many - few) / (number - FEW)
        rows.append(
            {
                "engine": name,
                "begin_seconds": float(np.median(few - FEW * each)),
                "rows_per_second": float(1 / np.median(each)),
                "spread": [float(1 / each.max()), float(1 / each.min())],
                "share": float(1 / np.median(each) / (CORES * alone)),
            }
        )
    return rows


def table():
    """The Markdown."""
    result = read(RESULT)
    alone, *engines = result["rows"]
    lines = [[alone["engine"], "", f"{alone['rows_per_second']:.0f}", ""]]
    for row in engines:
        speed = "{:.0f} ({:.0f} to {:.0f})".format(row["rows_per_second"], *row["spread"])
        lines.append([row["engine"], f"{row['begin_seconds']:.1f}", speed, f"{row['share']:.0%}"])
    heads = ["engine", "seconds to begin", "rows per second after that", "the model's share of its cores"]
    return f"{markdown(heads, lines)}\n\n{source(result)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--render", action="store_true")
    arguments = parser.parse_args()
    if not arguments.render:
        report(RESULT, measure(arguments.model, arguments.texts, arguments.rounds))
    write_between(PAGE, BEGIN, END, table())


if __name__ == "__main__":
    main()
