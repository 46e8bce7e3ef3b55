"""Bulk prediction on several processes against `leco predict` in one, and its memory over many gigabytes.

python -m benchmarks.bulk SST2                   # 1,000,000 short texts and 5 GB; writes benchmarks/results/bulk.json
python -m benchmarks.bulk SST2 --texts 20000 --gigabytes 0.2 --folder /data/tmp     # smaller, elsewhere
python -m benchmarks.bulk --render                                                  # the tables of docs/bulk.md alone

SST2 is a model folder or an exported file. The texts are the first words of film reviews, in parts of 50,000 rows; the
one process answers the same rows as one file, with all threads, at the same batch size, and both are timed as commands,
from start to end. For the memory, rows have a short text and 20 kB that no compression makes smaller, in row groups of
half a gigabyte; what is summed is the memory of all processes at a moment, shared pages counted once (PSS).
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.common.recording import DOCS, read, report, source, write_between
from leco.data import load_data
from leco.reproduction.tables import markdown

RESULT, PAGE = "benchmarks/bulk", DOCS / "bulk.md"
BEGIN, END = "<!-- bulk: begin -->", "<!-- bulk: end -->"
WORDS, PART = 12, 50_000
"""Of a text, and rows of a part."""
PAYLOAD, GROUP = 20_000, 25_000
"""Bytes of a row for the memory, and rows of a row group."""
BATCH = 32


def texts(number, seed):
    """The first words of reviews, drawn."""
    reviews = load_data("demo/rotten_tomatoes").train.texts
    drawn = np.random.default_rng(seed).integers(len(reviews), size=number)
    return [" ".join(reviews[row].split()[:WORDS]) for row in drawn]


def write_texts(folder, number, part=PART):
    """Parts of so many texts, and all of them as one file."""
    (folder / "parts").mkdir()
    with pq.ParquetWriter(folder / "one.parquet", pa.schema([("id", pa.int64()), ("text", pa.string())])) as one:
        for place, start in enumerate(range(0, number, part)):
            ids = range(start, min(start + part, number))
            table = pa.table({"id": pa.array(ids, pa.int64()), "text": texts(len(ids), place)})
            pq.write_table(table, folder / "parts" / f"{place:05}.parquet")
            one.write_table(table)


def write_large(folder, gigabytes):
    """Two parts of so many gigabytes together; gives their rows."""
    folder.mkdir()
    random, rows = np.random.default_rng(0), int(gigabytes * 1e9 / PAYLOAD)
    schema = pa.schema([("text", pa.string()), ("payload", pa.binary())])
    for part in range(2):
        with pq.ParquetWriter(folder / f"{part}.parquet", schema, compression="none", use_dictionary=False) as writer:
            for start in range(0, rows // 2, GROUP):
                size = min(GROUP, rows // 2 - start)
                payload = [random.bytes(PAYLOAD) for _ in range(size)]
                writer.write_table(pa.table([texts(size, start), payload], schema=schema), GROUP)
    return 2 * (rows // 2)


def run(*arguments):
    """The seconds of `leco predict`, the peak of the memory of its processes in MiB, and what it says."""
    command = [sys.executable, "-m", "leco", "predict", *map(str, arguments), "--batch-size", str(BATCH), "--json"]
    peak, started = [0.0], time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def watch():
        while process.poll() is None:
            peak.append(memory(process.pid))
            time.sleep(0.25)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = process.communicate()
    seconds = time.perf_counter() - started
    watcher.join()
    if process.returncode:
        raise SystemExit(f"it ended with {process.returncode}: {' '.join(command)}")
    return seconds, max(peak), json.loads(out)


def memory(pid):
    """The memory of a process and its children, in MiB; shared pages are counted once."""
    total = 0
    with suppress(psutil.Error):
        for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.Error):
                total += one.memory_full_info().pss
    return total / 2**20


def differences(folder, output):
    """How many answers differ between the file and the parts: labels or layers, and the largest distance of scores."""
    names = ["id", "label", "exit_layer", "score"]
    one = pq.read_table(folder / "one-answered.parquet", columns=names)
    parts = pa.concat_tables(pq.read_table(path, columns=names) for path in sorted(output.glob("*.parquet")))
    assert one["id"].equals(parts["id"])
    other = sum(
        1
        for name in ("label", "exit_layer")
        for a, b in zip(one[name].to_pylist(), parts[name].to_pylist(), strict=True)
        if a != b
    )
    return other, float(np.abs(one["score"].to_numpy() - parts["score"].to_numpy()).max())


def rows_per_second(model, folder, number, workers):
    """The row of a result about speed."""
    write_texts(folder, number)
    alone, _, _ = run(model, folder / "one.parquet", "--output", folder / "one-answered.parquet")
    together, _, said = run(model, folder / "parts", "--output", folder / "answered", "--workers", workers)
    assert said["rows"] == number
    other, distance = differences(folder, folder / "answered")
    return {
        "what": "rows per second",
        "texts": number,
        "workers": workers,
        "one_process": number / alone,
        "bulk": number / together,
        "ratio": alone / together,
        "other_answers": other,
        "largest_distance": distance,
    }


def memory_of(model, folder, gigabytes, workers):
    """The row of a result about memory."""
    rows = write_large(folder / "large", gigabytes)
    seconds, peak, said = run(model, folder / "large", "--output", folder / "out", "--workers", workers)
    assert said["rows"] == rows
    size = sum(path.stat().st_size for path in (folder / "large").iterdir()) / 1e9
    return {
        "what": "memory",
        "gigabytes": size,
        "rows": rows,
        "workers": workers,
        "seconds": seconds,
        "peak_mib": peak,
    }


def tables():
    """The Markdown."""
    result = read(RESULT)
    speed, memory = result["rows"]
    lines = [
        ["`leco predict` of one file, in one process", f"{speed['one_process']:,.0f}", "1"],
        [f"of a folder, in {speed['workers']} processes", f"{speed['bulk']:,.0f}", f"{speed['ratio']:.2f}"],
    ]
    heads = [f"{speed['texts']:,} short texts", "rows per second, from start to end", "ratio"]
    return f"""{markdown(heads, lines)}

Of the answers {speed["other_answers"]:,} have another label or layer; scores differ by
{speed["largest_distance"]:.0e} at most. {memory["gigabytes"]:.1f} GB of wide rows ({memory["rows"]:,}) took
{memory["peak_mib"] / 1024:.2f} GiB at most, all {memory["workers"]} processes and the one that started them together.

{source(result)}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory-workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for the files, three times as large as the input")
    parser.add_argument("--render", action="store_true")
    arguments = parser.parse_args()
    if not arguments.render:
        rows = []
        for measure, size in ((rows_per_second, arguments.texts), (memory_of, arguments.gigabytes)):
            workers = arguments.workers if measure is rows_per_second else arguments.memory_workers
            with TemporaryDirectory(dir=arguments.folder) as folder:
                rows.append(measure(arguments.model, Path(folder), size, workers))
            report(RESULT, rows)
    write_between(PAGE, BEGIN, END, tables())


if __name__ == "__main__":
    main()
