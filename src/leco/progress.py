"""What a long run says on its way, on standard error: progress bars with the remaining time, and lines.

Of several processes that train one model together, the first speaks.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from leco.display import shortened

LONGEST = 2000
"""Characters of a line; what is longer has a user's whole text or file in it."""


def plain_console(**settings: Any) -> Console:
    """A console that takes nothing in a text for markup or for the name of an emoji."""
    return Console(highlight=False, markup=False, emoji=False, **settings)


console = plain_console(stderr=True, soft_wrap=True, quiet=os.environ.get("RANK", "0") != "0")


def say(message: str) -> None:
    """Print a line above the progress bar."""
    console.print(shortened(message, LONGEST))


_open_bars: set[Progress] = set()


def close_bars() -> None:
    """Remove the bars that a run left open when it was stopped, and give the terminal its cursor back."""
    while _open_bars:
        _open_bars.pop().stop()


@contextmanager
def progress_bar(description: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar over `total` steps, `done` of them behind; the function it gives is called with the steps just done."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task(description, total=total, completed=done)
        _open_bars.add(bars)
        try:
            yield lambda steps: bars.advance(bar, steps)
        finally:
            _open_bars.discard(bars)
