"""What a long run says on its way, on standard error: progress bars with the remaining time, and lines.

Of several processes that train one model together, the first speaks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from leco.display import shortened
from leco.launcher import is_first

LONGEST = 2000
"""Characters of a line; what is longer has a user's whole text or file in it."""


def plain_console(**settings: Any) -> Console:
    """A console that takes nothing in a text for markup or for the name of an emoji."""
    return Console(highlight=False, markup=False, emoji=False, **settings)


console = plain_console(stderr=True, soft_wrap=True, quiet=not is_first())


def say(message: str) -> None:
    """Print a line above the progress bar."""
    console.print(shortened(message, LONGEST))


class _Rate(ProgressColumn):
    """Steps in a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> str:
        return f"{task.speed:.0f} {self.unit}/s" if self.unit and task.speed else ""


_open_bars: set[Progress] = set()


def close_bars() -> None:
    """Remove the bars that a run left open when it was stopped, and give the terminal its cursor back."""
    while _open_bars:
        _open_bars.pop().stop()


@contextmanager
def progress_bar(
    description: str, total: int | None, done: int = 0, *, unit: str = ""
) -> Iterator[Callable[[int], None]]:
    """A bar over `total` steps, if that is known, `done` of them behind; the function it gives is called with the steps
    just done. Given a `unit` of steps, it shows how many there are in a second.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False) as bars:
        bar = bars.add_task(description, total=total, completed=done)
        _open_bars.add(bars)
        try:
            yield lambda steps: bars.advance(bar, steps)
        finally:
            _open_bars.discard(bars)
