"""Memory that batches have left goes back to the system, which the C library alone would keep."""

import asyncio
import ctypes
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

EVERY = 10.0
"""Seconds between two times. More often costs speed, since the next large batch asks for it again."""


def trimmer() -> Callable[[int], int] | None:
    """What gives free memory back to the system: `malloc_trim` of the GNU C library; None where there is another.

    Batches of all sizes leave free pieces everywhere, so that memory would grow beyond what any of them needs.
    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl and macOS lack it; Windows takes no None
        return None


@asynccontextmanager
async def memory_given_back() -> AsyncIterator[None]:
    """Give free memory back every now and then, as long as this is entered."""
    giving = asyncio.ensure_future(_give_back())
    try:
        yield
    finally:
        giving.cancel()


async def _give_back() -> None:
    trim = trimmer()
    while trim is not None:
        await asyncio.sleep(EVERY)
        await asyncio.to_thread(trim, 0)
