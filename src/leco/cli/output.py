"""What commands print: summaries for people, one JSON object for machines."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from leco.cli.tables import print_table
from leco.criteria import Criterion, first_counted
from leco.display import shortened, time_saved, visible, with_factor
from leco.files import format_json
from leco.progress import plain_console, say
from leco.registry import format_settings
from leco.runtime import Predictor, doubt_of


@contextmanager
def quiet_stdout() -> Iterator[None]:
    """A block in which libraries that print on stdout print on stderr, and they and this one log errors alone."""
    _quiet_transformers()
    own = logging.getLogger("leco")
    before = own.level
    own.setLevel(logging.ERROR)  # commands say themselves what users should know
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        own.setLevel(before)


@cache
def _quiet_transformers() -> None:
    """Have Transformers log errors alone, once it is imported: not every command needs it."""
    import wrapt

    @wrapt.when_imported("transformers.utils.logging")
    def quiet(transformers_logging: Any) -> None:
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on a line of stdout."""
    sys.stdout.write(_json(value) + "\n")


class JsonLines:
    """Objects that are printed on stdout as they come: a line each, or as the list under a `key` of one object."""

    def __init__(self, key: str | None = None) -> None:
        """Print nothing yet."""
        self._key, self._before = key, "" if key is None else f"{{{_json(key)}: ["

    def print(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Print some more."""
        for value in values:
            sys.stdout.write(f"{self._before}{_json(value)}" + ("\n" if self._key is None else ""))
            self._before = "" if self._key is None else ", "
        sys.stdout.flush()

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if self._key is not None and error is None:
            sys.stdout.write("]}\n")


def _json(value: Any) -> str:
    """JSON in which what a terminal would obey is escaped; in ASCII where stdout is."""
    text = visible(format_json(value))
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(json.loads(text))
    return text


def print_lines(*lines: object) -> None:
    """Print lines on stdout, however long."""
    plain_console(soft_wrap=True).print(*map(visible, lines), sep="\n")


def print_certificate(predictor: Predictor) -> None:
    """Print what is promised of a model's early answers, if anything is."""
    if predictor.certificate is not None:
        print_lines(predictor.certificate.sentence(), "")


def say_doubt(predictor: Predictor, criterion: Criterion | None = None) -> None:
    """Say where a model's certificate does not hold for its answers by a criterion, by default its own."""
    if doubt := doubt_of(predictor, criterion):
        say(doubt)


FEW_LABELS = 12
"""With more, tables of labels are not printed: the JSON has them."""
LEAVE = "leave: how many texts leave at the layer."
TRUST = (
    "AUROC: whether an exit is surer of right answers than of wrong ones, from 0.5 (a coin) to 1. "
    "ECE: how far its confidence is from the share that is right, at best 0."
)
"""What the headings of the table of exits mean."""
FITTED = ("the model", "README.md", "results.json", "curve.png")
"""What 'leco fit' leaves in its folder for people."""


def print_evaluation(
    results: Mapping[str, Any],
    *,
    preset: str | None = None,
    next_commands: Sequence[str],
    saved: Sequence[str] = FITTED,
    output: Path | None,
) -> None:
    """The closing summary: every exit, what early exiting costs and gains, curves if any, and the next commands.

    `preset` is that of the training, if known; `saved` is in the folder `output`.
    """
    title = f"{results['data']}: {results['metric']} on {results['rows']} test texts"
    title += f", by a model of the preset {preset}" if preset else ""
    trust, legend = ((">AUROC", ">ECE"), f"{TRUST} {LEAVE}") if results.get("trust") else ((), LEAVE)
    print_table((">layer", ">score", *trust, ">leave", "exit"), _exit_rows(results), title, legend)
    _print_curves(results)
    _print_detail(results)
    times = len(results["speedup_repeats"])
    print_lines(
        results.get("lacks") or f"AVG {results['avg']:.4f}   BEST {results['best']:.4f}",
        f"{results['criterion']['name']}({format_settings(results['criterion'])}): score {results['score']:.4f}, "
        f"{results['full_depth_score']:.4f} at full depth, {time_saved(results['speedup'])} at batch size 1 "
        f"({results['timed_texts']} texts, {'once' if times == 1 else f'{times} times'}), "
        f"mean exit layer {results['mean_exit_layer']:.2f}",
        "",
        f"Saved in {output}: {', '.join(saved)}. Next:" if output else "Next:",
        *(f"  {command}" for command in next_commands),
    )


def _exit_rows(results: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """Each exit's layer with its score and trust, how many texts leave there, and what the exit is, as far as known."""
    scores = [f"{score:.4f}" for score in results["exit_scores"]]
    exits = [_exit(architecture) for architecture in results.get("architectures", ())]
    trust = [[_number(one["auroc"]), _number(one["calibration_error"])] for one in results.get("trust", ())]
    counts = results["exit_layer_counts"]
    layers = results.get("exit_layers") or range(1, len(counts) + 1)
    first = first_counted(layers)
    for place, (layer, score, leave) in enumerate(zip_longest(layers, scores, exits, fillvalue="")):
        yield layer, score, *(trust[place] if trust else ()), counts[int(layer) - first], leave


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _print_curves(results: Mapping[str, Any]) -> None:
    """What the curves whose speedups were measured reach, the best first, and the mean score over what all reach."""
    rows = []
    for name, curve in sorted(results["curves"].items(), key=lambda item: -(item[1]["area"] or 0)):
        speedups = [point["speedup"] for point in curve["points"]]
        if None not in speedups:
            area = "" if curve["area"] is None else f"{curve['area']:.4f}"
            rows.append((name, len(speedups), " to ".join(map(with_factor, (min(speedups), max(speedups)))), area))
    if rows:
        print_table(("criterion", ">points", ">speedups", ">mean score"), rows, "Speedup-score curves")
    if rows and results["area_range"] is not None:
        ends = " to ".join(map(with_factor, results["area_range"]))
        print_lines(f"Mean score: over the speedups that all criteria reach, {ends}.")


def _exit(architecture: Mapping[str, Any]) -> str:
    if architecture["kind"] != "cell":
        return str(architecture["kind"])
    names = [architecture[edge] for edge in ("activation_1", "encoder_1", "encoder_2", "pooler", "activation_2")]
    return "{} > {} + {} > {} > {}".format(*names)


def _print_detail(results: Mapping[str, Any]) -> None:
    """All scores on a line, and where there are few labels those of each and what is taken for what."""
    if (detail := results.get("detail")) is None:
        return
    by_label, confusion, columns = detail["by_label"], detail["confusion"], ("precision", "recall", "f1")
    if 0 < len(by_label) <= FEW_LABELS:
        rows = [(name, *(f"{one[column]:.4f}" for column in columns), one["support"]) for name, one in by_label.items()]
        print_table(("label", *(f">{column}" for column in columns), ">texts"), rows, "Labels, by the criterion")
        if confusion and not isinstance(confusion[0][0], list):
            table = [(name, *counts) for name, counts in zip(by_label, confusion, strict=True)]
            given = [f">{shortened(name, 12)}" for name in by_label]
            print_table(("texts of", *given), table, "Confusion (rows: true)")
    print_lines("   ".join(f"{name} {value:.6g}" for name, value in {**detail["metrics"], **detail["errors"]}.items()))
