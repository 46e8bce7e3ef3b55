"""What commands print: summaries for people, one JSON object for machines."""

import json
import logging
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


@contextmanager
def quiet_stdout() -> Iterator[None]:
    """A block in which libraries that print on stdout print on stderr, and they and this one log errors alone."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    own = logging.getLogger("leco")
    before = own.level
    own.setLevel(logging.ERROR)  # commands say themselves what users should know
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        own.setLevel(before)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    print(json.dumps(value, ensure_ascii=False))  # noqa: T201


def table(*columns: str, title: str | None = None) -> Table:
    """A table whose cells stay on one line; columns whose names begin with > are for numbers."""
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        made.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left", no_wrap=True)
    return made


def print_table(made: Table) -> None:
    """Print a table on stdout, as wide as it needs to be where stdout is no terminal."""
    out = Console(highlight=False)
    out.print(made, width=None if out.is_terminal else 200)


def print_lines(*lines: str) -> None:
    """Print lines on stdout as they are, however long."""
    Console(highlight=False, soft_wrap=True).print(*lines, sep="\n", markup=False)


def print_evaluation(results: Mapping[str, Any], folder: Path, *, saved: bool = True) -> None:
    """The closing summary: every exit, what early exiting costs and gains, and the next commands."""
    architectures = results.get("architectures") or [None] * len(results["exit_scores"])
    title = f"{results['data']}: {results['metric']} on {results['rows']} test texts"
    made = table(">layer", ">score", ">texts leaving", "exit", title=title)
    learned = len(architectures) == len(results["exit_scores"])
    for layer, score in enumerate(results["exit_scores"]):
        exit_name = _exit(architectures[layer]) if learned else ""
        made.add_row(str(layer + 1), f"{score:.4f}", str(results["exit_layer_counts"][layer]), exit_name)
    print_table(made)
    settings = ", ".join(f"{k}={v:.4g}" for k, v in results["criterion"].items() if k != "name")
    print_lines(
        f"AVG {results['avg']:.4f}   BEST {results['best']:.4f}",
        f"{results['criterion']['name']}({settings}): score {results['score']:.4f} against "
        f"{results['full_depth_score']:.4f} at full depth, {results['speedup']:.0%} less time "
        f"({results['speedup_factor']:.2f}x) at batch size 1, mean exit layer {results['mean_exit_layer']:.2f}",
        "",
        f"Saved in {folder}: the model, README.md, results.json, curve.png. Next:" if saved else "Next:",
        f"  echo 'a text of yours' | leco predict {quoted(folder)}",
        f"  leco evaluate {quoted(folder)} --data {quoted(results['data'])}",
    )


def quoted(word: object) -> str:
    """A word as a shell takes it."""
    return shlex.quote(str(word))


def _exit(architecture: Mapping[str, Any] | None) -> str:
    if architecture is None:
        return ""
    names = [architecture[edge] for edge in ("activation_1", "encoder_1", "encoder_2", "pooler", "activation_2")]
    return "{} > {} + {} > {} > {}".format(*names)
