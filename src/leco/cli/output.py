"""What commands print: summaries for people, one JSON object for machines."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@contextmanager
def quiet_stdout() -> Iterator[None]:
    """A block in which libraries that print on stdout print on stderr, and Transformers says errors alone."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with redirect_stdout(sys.stderr):
        yield


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on stdout."""
    print(json.dumps(value, ensure_ascii=False))  # noqa: T201


def print_evaluation(results: Mapping[str, Any], folder: Path) -> None:
    """The closing summary: every exit, what early exiting costs and gains, and the next commands."""
    out = Console(highlight=False, soft_wrap=True)
    architectures = results.get("architectures") or [None] * len(results["exit_scores"])
    table = Table(title=f"{results['data']}: {results['metric']} on {results['rows']} test texts", title_justify="left")
    for column, justify in (("layer", "right"), ("exit", "left"), ("score", "right"), ("texts that leave", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    learned = len(architectures) == len(results["exit_scores"])
    for layer, score in enumerate(results["exit_scores"]):
        exit_name = _exit(architectures[layer]) if learned else ""
        table.add_row(str(layer + 1), exit_name, f"{score:.4f}", str(results["exit_layer_counts"][layer]))
    out.print(table)
    settings = ", ".join(f"{k}={v:.4g}" for k, v in results["criterion"].items() if k != "name")
    out.print(f"AVG {results['avg']:.4f}   BEST {results['best']:.4f}")
    out.print(
        f"{results['criterion']['name']}({settings}): score {results['score']:.4f} against "
        f"{results['full_depth_score']:.4f} at full depth, {results['speedup']:.0%} less time "
        f"({results['speedup_factor']:.2f}x) at batch size 1, mean exit layer {results['mean_exit_layer']:.2f}"
    )
    out.print(f"\nSaved in {folder}: the model, README.md, results.json, curve.png. Next:")
    out.print(f"  echo 'a text of yours' | leco predict {folder}", markup=False)
    out.print(f"  leco evaluate {folder} --data {results['data']}", markup=False)


def _exit(architecture: Mapping[str, Any] | None) -> str:
    if architecture is None:
        return ""
    names = [architecture[edge] for edge in ("activation_1", "encoder_1", "encoder_2", "pooler", "activation_2")]
    return "{} > {} + {} > {} > {}".format(*names)
