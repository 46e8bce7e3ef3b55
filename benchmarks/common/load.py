"""Load on a service from a process of its own: requests that come whether or not answers do, and their latencies.

python -m benchmarks.common.load HOST PORT RATE SECONDS < BODIES    # prints a line of JSON

RATE requests come in a second, at random (Poisson); 0 is as many as 32 clients can have answered, each one at a time.
BODIES are lines of JSON, the bodies of POST /predict, which are sent in turn.
"""

import asyncio
import itertools
import json
import random
import sys
import time

CLIENTS = 32


class Connections:
    """Connections to one address that are kept for later requests."""

    def __init__(self, host, port):
        self.host, self.port, self.idle = host, port, []

    async def post(self, body):
        """The status of a request."""
        connection = self.idle.pop() if self.idle else await asyncio.open_connection(self.host, self.port)
        status = await post(*connection, self.host, body)
        self.idle.append(connection)
        return status


async def post(reader, writer, host, body):
    """The status of a request on a connection."""
    fields = {"Host": host, "Content-Type": "application/json", "Content-Length": len(body)}
    head = "".join(["POST /predict HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in fields.items()), "\r\n"])
    writer.write(head.encode() + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    await reader.readexactly(length)
    return int(answer.split(b" ", 2)[1])


async def run(host, port, rate, seconds, bodies):
    """The statuses and seconds of the requests that came within so many seconds."""
    connections, found, turn = Connections(host, port), [], itertools.cycle(bodies)
    draws, began = random.Random(0), time.perf_counter()

    async def one():
        start = time.perf_counter()
        try:
            status = await asyncio.wait_for(connections.post(next(turn)), 60)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            status = 0
        found.append((status, time.perf_counter() - start))

    async def client():
        while time.perf_counter() - began < seconds:
            await one()

    if rate:
        tasks, due = [], began
        while (due := due + draws.expovariate(rate)) - began < seconds:
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            tasks.append(asyncio.create_task(one()))
        await asyncio.gather(*tasks)
    else:
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return found, time.perf_counter() - began


def main():
    host, port, rate, seconds = sys.argv[1], *map(float, sys.argv[2:])
    bodies = [line.strip().encode() for line in sys.stdin if line.strip()]
    found, took = asyncio.run(run(host, int(port), rate, seconds, bodies))
    times = sorted(one for status, one in found if status == 200)
    at = lambda share: times[min(int(share * len(times)), len(times) - 1)] if times else None  # noqa: E731
    counts = {"asked": len(found), "answered": len(times), "refused": sum(status == 429 for status, _ in found)}
    print(json.dumps({**counts, "per_second": len(times) / took, "p50": at(0.5), "p99": at(0.99)}))


if __name__ == "__main__":
    main()
