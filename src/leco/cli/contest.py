"""How the exit criterion was chosen, for people."""

from pathlib import Path

from leco.cli.output import print_lines
from leco.cli.tables import print_table
from leco.evaluation.contest import SURE, Contest, Entry, read_contest
from leco.pipeline import CONTEST
from leco.registry import format_settings


def print_contest(folder: Path) -> None:
    """Print the table of the contest that a run left in its folder, if any, and what follows from it."""
    if not (folder / CONTEST).is_file():
        return
    found = read_contest(folder / CONTEST)
    print_table(
        ("criterion", ">score", ">saved", ">behind", ""),
        (_row(found, entry) for entry in found.entries),
        f"Criteria on {found.rows} dev texts, at most {found.max_drop:g} under full depth's "
        f"{found.full_depth_score:.4f}",
        "saved: the share of layers. behind: the share of resamples of dev in which the first one saves more; of those "
        f"with less than {SURE:.0%}, which are level with it, the simplest is chosen.",
    )
    if sentence := found.verdict():
        print_lines(sentence, "")


def _row(found: Contest, entry: Entry) -> tuple[str, ...]:
    settings = {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in entry.criterion.items()}
    name = f"{settings['name']} {format_settings(settings)}"
    chosen = "chosen" if entry.criterion == found.winner else ""
    return name, f"{entry.score:.4f}", f"{entry.layers_saved:.1%}", f"{entry.behind:.0%}", chosen
