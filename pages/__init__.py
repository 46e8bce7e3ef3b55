"""What of the documentation is made of the code: `python -m pages` writes it before the site is built (`make docs`)."""

from collections.abc import Sequence
from pathlib import Path

from leco.reproduction.tables import markdown

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GENERATED = "<!-- Written by `python -m pages`, not by hand. -->"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, in whose cells `|` stands for itself."""
    return markdown(columns, [[cell.replace("|", r"\|") for cell in row] for row in rows])
