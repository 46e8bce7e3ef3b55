"""Memory of a service: what is free goes back to the system."""

import asyncio
import subprocess
import sys

import pytest

from leco.serving import memory
from leco.serving.memory import memory_given_back, trimmer

FREED = """
import asyncio
import psutil
from leco.serving import memory

PIECES, SIZE = 4000, 50_000
memory.EVERY = 0.05

def megabytes():
    return psutil.Process().memory_info().rss / 1e6

large, small = [], []
for _ in range(PIECES):
    large.append(bytearray(SIZE))
    small.append(bytearray(1000))
del large
kept = megabytes()

async def wait():
    async with memory.memory_given_back():
        for _ in range(600):
            await asyncio.sleep(0.05)
            if kept - megabytes() > PIECES * SIZE / 1e6 / 2:
                break

asyncio.run(wait())
assert kept - megabytes() > PIECES * SIZE / 1e6 / 2, (kept, megabytes())
assert len(small) == PIECES
"""
"""Of large pieces of memory that are free, but have small ones between them, more than half goes back."""


@pytest.mark.skipif(trimmer() is None, reason="this system's C library has no malloc_trim")
def test_free_pieces_between_others_are_given_back():
    """In a process of its own: in one that has run other tests the pieces may lie where memory was free before."""
    subprocess.run([sys.executable, "-c", FREED], check=True)


def test_it_goes_on_until_it_is_left(monkeypatch):
    calls = []
    monkeypatch.setattr(memory, "EVERY", 0)
    monkeypatch.setattr(memory, "trimmer", lambda: calls.append)

    async def leave_after_three():
        async with memory_given_back():
            while len(calls) < 3:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # for what was under way
        count = len(calls)
        await asyncio.sleep(0.1)
        assert len(calls) == count

    asyncio.run(leave_after_three())
    assert set(calls) == {0}


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert trimmer() is None

    async def enter():
        async with memory_given_back():
            await asyncio.sleep(0)

    asyncio.run(enter())
