"""Tables that commands print: whole wherever they go, and readable in a narrow terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from leco.display import shortened, visible
from leco.progress import plain_console

GAP = 2
"""Between columns."""
NARROW = 24
"""To which a column of words is wrapped before columns go into a table of their own."""


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None, legend: str | None = None
) -> None:
    """Print a table on stdout, under its title and above the `legend`, which says what headings mean.

    Columns whose names begin with > are for numbers, which are never cut. Where a terminal is too narrow words are
    wrapped, and columns that still have no room follow in a table of their own, behind the first column again. On what
    is no terminal each row is one line.
    """
    cells = [[shortened(cell) for cell in row] for row in rows]
    widths = [
        max(map(cell_len, (name.removeprefix(">"), *(row[place] for row in cells))))
        for place, name in enumerate(columns)
    ]
    out = plain_console()
    room = out.width if out.is_terminal else _width(widths)
    if title is not None:
        out.print(Text(visible(title), style="table.title"), soft_wrap=True)
    least = [width if name.startswith(">") else min(width, NARROW) for name, width in zip(columns, widths, strict=True)]
    for places in _that_fit(least, room):
        made = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for place in places:
            _add(made, columns[place], least[place])
        for row in cells:
            made.add_row(*(row[place] for place in places))
        plain_console(width=max(room, _width([least[place] for place in places]))).print(made)
    if legend is not None:
        out.print(visible(legend), "", sep="\n", soft_wrap=not out.is_terminal)


def _add(table: Table, name: str, least: int) -> None:
    """Add a column that is no narrower than `least`, with words that are wrapped or numbers that are not."""
    if name.startswith(">"):
        table.add_column(name.removeprefix(">"), justify="right", min_width=least, no_wrap=True)
    else:
        table.add_column(name, min_width=least, overflow="fold")


def _width(widths: Sequence[int]) -> int:
    """The width of a table with columns of these."""
    return sum(width + GAP for width in widths) + 1


def _that_fit(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """The columns of each table: the first one and, behind it, as many others as there is room for.

    >>> list(_that_fit([5, 5, 5], room=20)), list(_that_fit([5, 5], room=20))
    ([[0, 1], [0, 2]], [[0, 1]])
    """
    some = [0]
    for place in range(1, len(widths)):
        if len(some) > 1 and _width([widths[one] for one in (*some, place)]) > room:
            yield some
            some = [0]
        some.append(place)
    yield some
