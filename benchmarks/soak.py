"""Minutes of load on a service, in which all happens that happens to services: what is lost, and what memory does.

python -m benchmarks.soak SST2 --glue-dir GLUE                # writes benchmarks/results/soak.json; 13 minutes
python -m benchmarks.soak SST2 --glue-dir GLUE --minutes 1    # a trial
python -m benchmarks.soak SST2 --glue-dir GLUE --second       # the second part again, 2 minutes

Requests come from this process at 0.8 of the saturation, whether or not answers do, each on a connection of its own.
In the first part slow clients, bodies that are half sent, 10,000 connections that say nothing and a reload come beside
them, and memory is compared before and after the reload. In the second part, with two workers, one is killed,
all load anew, and in the end the service is told to stop while requests come.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from math import prod
from pathlib import Path
from statistics import median

import psutil

from benchmarks.common.load import post
from benchmarks.common.recording import DOCS, read, report, source, write_between
from benchmarks.serving import PORT, load, wait_until_ready
from leco.data import load_data
from leco.reproduction.tables import markdown

RESULT, PAGE = "benchmarks/soak", DOCS / "serving.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
SHARE = 0.8
HOST = "127.0.0.1"
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
SILENT, SLOW = 10_000, 50
"""Connections that say nothing, and clients that are slow, of each kind."""


class Load:
    """Requests at a rate; `statuses` counts what came of them: a status, "not taken", or "lost"."""

    def __init__(self, bodies, rate):
        self.bodies, self.rate, self.statuses, self.tasks = bodies, rate, Counter(), set()
        self.asking = True

    async def run(self):
        """Ask until told to stop, then wait for the answers."""
        draws, due = random.Random(0), time.perf_counter()
        while self.asking:
            due += draws.expovariate(self.rate)
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            task = asyncio.create_task(self._one(draws.choice(self.bodies)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        await asyncio.gather(*self.tasks)

    async def _one(self, body):
        try:
            reader, writer = await asyncio.open_connection(HOST, PORT)
        except OSError:
            self.statuses["not taken"] += 1
            return
        try:
            self.statuses[str(await asyncio.wait_for(post(reader, writer, HOST, body), 60))] += 1
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            self.statuses["lost"] += 1
        finally:
            writer.close()


class Memory:
    """The MiB of a process and its children, sampled."""

    def __init__(self, process):
        self.process, self.samples = psutil.Process(process.pid), []

    async def run(self):
        """Sample for ever."""
        while True:
            self.samples.append(sum(one.memory_info().rss for one in family(self.process)) / 2**20)
            await asyncio.sleep(1)

    def growth(self, first, last):
        """A tenth of the time as a ratio to another one, both counted from 0."""
        tenth = max(len(self.samples) // 10, 1)
        then, now = (median(self.samples[at * tenth : (at + 1) * tenth]) for at in (first, last))
        return now / then


def family(process):
    """A process and what it has begun."""
    return [process, *process.children(recursive=True)]


async def silent(number):
    """Connections that are opened and closed."""
    for _ in range(number):
        _, writer = await asyncio.open_connection(HOST, PORT)
        writer.close()


async def slow(data):
    """A client that sends a byte every half second, until it has had enough or is given up."""
    _, writer = await asyncio.open_connection(HOST, PORT)
    try:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.5)
    except OSError:
        pass
    finally:
        writer.close()


async def half():
    """A client that sends half a body and waits."""
    reader, writer = await asyncio.open_connection(HOST, PORT)
    writer.write(HEAD + b'{"texts": ["half')
    try:
        await asyncio.wait_for(reader.read(), 60)
    except (OSError, asyncio.TimeoutError):
        pass
    finally:
        writer.close()


async def first_part(process, requests, seconds):
    """Slow clients, half bodies, silent connections, a reload; gives what memory did."""
    memory = Memory(process)
    running, sampling = asyncio.create_task(requests.run()), asyncio.create_task(memory.run())
    await asyncio.sleep(0.25 * seconds)
    aside = [asyncio.create_task(one) for one in (*(slow(HEAD) for _ in range(SLOW)), *(half() for _ in range(SLOW)))]
    await silent(SILENT)
    await asyncio.sleep(0.25 * seconds)
    process.send_signal(signal.SIGHUP)
    await asyncio.sleep(0.5 * seconds)
    requests.asking = False
    await running
    sampling.cancel()
    for one in aside:
        one.cancel()
    return memory


async def second_part(process, requests, seconds):
    """A worker is killed, all load anew, and the service is told to stop."""
    running = asyncio.create_task(requests.run())
    await asyncio.sleep(0.25 * seconds)
    workers = [one for one in family(psutil.Process(process.pid)) if "spawn_main" in " ".join(one.cmdline())]
    workers[0].kill()
    await asyncio.sleep(0.25 * seconds)
    process.send_signal(signal.SIGHUP)
    await asyncio.sleep(0.5 * seconds)
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(2)
    requests.asking = False
    await running


def serving(model, *flags):
    """The process of a service that answers."""
    command = [sys.executable, "-m", "leco", "serve", str(model), "--port", str(PORT), "--threads", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, "--device", "cpu", *flags], stderr=subprocess.DEVNULL, env=environment)
    wait_until_ready(process)
    return process


def growth(memory):
    """What memory did before the reload, by it (a model is loaded beside the other), and after it."""
    return {"before": memory.growth(1, 4), "by_reload": memory.growth(4, 6), "after": memory.growth(6, 9)}


def row(part, requests, seconds, **more):
    """What came of a part."""
    return {"part": part, "seconds": seconds, "rate": requests.rate, "statuses": dict(requests.statuses), **more}


def one_process(model, bodies, seconds):
    """The row of the first part."""
    process = serving(model, "--timeout", "20")
    load(0, 2, bodies)
    rate = SHARE * load(0, 6, bodies)["per_second"]
    requests = Load([body.encode() for body in bodies], rate)
    memory = asyncio.run(first_part(process, requests, seconds))
    process.terminate()
    return row("one process", requests, seconds, code=process.wait(), mib=memory.samples[-1], **growth(memory))


def two_workers(model, bodies, seconds, rate):
    """The row of the second part."""
    process = serving(model, "--workers", "2")
    requests = Load([body.encode() for body in bodies], rate)
    asyncio.run(second_part(process, requests, seconds))
    return row("two workers", requests, seconds, code=process.wait())


def measure(arguments):
    """Run both parts, or, with what is there of the first one, the second."""
    texts = load_data("glue/sst-2", glue_dir=arguments.glue_dir).dev.texts
    bodies, seconds = [json.dumps({"texts": [text]}) for text in texts], 60 * arguments.minutes
    first = read(RESULT)["rows"][0] if arguments.second else one_process(arguments.model, bodies, seconds)
    report(RESULT, [first])
    report(RESULT, [first, two_workers(arguments.model, bodies, seconds / 5, first["rate"])])


def tables():
    """The Markdown."""
    result = read(RESULT)
    kinds = list(dict.fromkeys(status for one in result["rows"] for status in sorted(one["statuses"])))
    lines = [
        [
            *(one["part"], f"{one['seconds']:.0f}", f"{one['rate']:.0f}"),
            *(f"{one['statuses'].get(kind, 0):,}" for kind in kinds),
            str(one["code"]),
        ]
        for one in result["rows"]
    ]
    memory = result["rows"][0]
    return f"""Requests at {SHARE} of the saturation, whether or not answers come. Beside those of one process come
{SLOW} slow clients, {SLOW} bodies that are half sent, {SILENT:,} connections that say nothing, and a reload. Of two
workers one is killed, all load anew, and in the end the service is told to stop while requests come, which then get 503
or are not taken. A request is "lost" that was taken and has no answer.

{markdown(["", "seconds", "requests a second", *kinds, "exit code"], lines)}

Memory of the one process ({memory["mib"]:,.0f} MiB at its end) before the reload, to that of its first minutes:
{memory["before"]:.3f}; after the reload, for which a model is loaded beside the other, to before:
{memory["by_reload"]:.3f}; at the end to then: {memory["after"]:.3f}; in all, from the first minutes to the end:
{prod(memory[name] for name in ("before", "by_reload", "after")):.3f}.

{source(result)}"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--glue-dir", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--second", action="store_true")
    arguments = parser.parse_args()
    if not arguments.render:
        measure(arguments)
    write_between(PAGE, BEGIN, END, tables())


if __name__ == "__main__":
    main()
