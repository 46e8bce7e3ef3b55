"""Figure 2: the curves of all criteria on the model with learned exits, and one of a usual model beside them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from leco.criteria import Oracle
from leco.display import with_factor
from leco.evaluation.curve import Curve, area, common_range
from leco.evaluation.files import COLUMNS, curve_rows
from leco.evaluation.plots import draw_curves
from leco.evaluation.result import Evaluation
from leco.files import write_csv, write_text
from leco.reproduction.criterion_curves import Curves
from leco.reproduction.results_folder import ResultsFolder
from leco.reproduction.searches_and_cells import Cell
from leco.reproduction.tables import markdown
from leco.settings import LEARNED

FIGURE_2 = "figure2"
OTHER = "patience (JT + linear exit)"


@dataclass(frozen=True)
class Figure:
    """The curves of one task: of all criteria on LECO's model, and patience on the one with linear exits (PABEE)."""

    task: str
    ours: Curves
    other: Curves

    @classmethod
    def of(cls, task: str, base: Cell, timed_texts: int | None) -> "Figure":
        """The figure of a task; `base` is a cell on it, with what all cells share."""
        shared = {field.name: getattr(base, field.name) for field in fields(base)}
        common = {**shared, "strategy": "joint", "timed_texts": timed_texts}
        ours = Curves(**{**common, "exits": LEARNED})
        return cls(task, ours, Curves(**{**common, "exits": "linear", "criteria": "patience"}))

    def read(self, folder: ResultsFolder) -> Evaluation | None:
        """The evaluation of ours with the other's curve among its own; None where one is not finished."""
        if not (self.ours in folder and self.other in folder):
            return None
        ours, other = (
            Evaluation.from_dict(folder[curves]["evaluation"], curves.name) for curves in (self.ours, self.other)
        )
        shared = common_range(curve.points for name, curve in ours.curves.items() if name != Oracle.name)
        points = other.curves["patience"].points
        curves = {**ours.curves, OTHER: Curve(points, area(points, *shared) if shared else None)}
        return replace(ours, curves=curves, area_range=shared)


def write_figure(figures: Sequence[Figure], folder: ResultsFolder, made: str, pictures: Path | None = None) -> str:
    """Draw each task's curves, and write all of them with their areas; gives the Markdown.

    `made` says by which settings, in the Markdown. Pictures are PNG and SVG beside the records, or SVG alone in the
    folder `pictures`.
    """
    found = [(figure, evaluation) for figure in figures if (evaluation := figure.read(folder))]
    areas: dict[str, dict[str, float | None]] = {}
    drawn, notes = [], []
    for figure, evaluation in found:
        svg = (pictures or folder.root) / f"{FIGURE_2}_{figure.task}.svg"
        paths = [svg] if pictures else [svg.with_suffix(".png"), svg]
        draw_curves(paths, evaluation.curves, evaluation.metric)
        link = Path(os.path.relpath(svg, folder.root)).as_posix()
        drawn.append(f"![Speedup-score curves on {figure.task}]({link})")
        if evaluation.area_range:
            ends = " and ".join(map(with_factor, evaluation.area_range))
            notes.append(
                f"{figure.task}: the area between the speedups {ends}, which all criteria reach, "
                f"divided by their distance: the mean {evaluation.metric.replace('_', ' ')} there. Measured on "
                f"{evaluation.timed_texts} test texts, {len(evaluation.speedup_repeats)} times."
            )
        for name, curve in evaluation.curves.items():
            areas.setdefault(name, {})[figure.task] = curve.area
    tasks = [figure.task for figure, _ in found]
    best = {task: best_area(areas, task) for task in tasks}
    lines = [[name, *(_shown(row.get(task), best[task]) for task in tasks)] for name, row in areas.items()]
    table = markdown(["criterion", *(f"{task}, area" for task in tasks)], lines)
    text = "\n\n".join(["**Speedup-score curves (the paper's Figure 2)**", made, *drawn, table, *notes]) + "\n"
    write_csv(folder.root / f"{FIGURE_2}.csv", ("task", *COLUMNS), _rows(found))
    write_text(folder.root / f"{FIGURE_2}.md", text)
    return text


def best_area(areas: Mapping[str, Mapping[str, float | None]], task: str) -> float | None:
    """The largest area of a task under a criterion's curve, the oracle's left out; None where none is known.

    >>> best_area({"cobee": {"cola": -0.2}, "static": {"cola": None}, "oracle": {"cola": 0.1}}, "cola")
    -0.2
    """
    known = (row.get(task) for name, row in areas.items() if name != Oracle.name)
    return max((area for area in known if area is not None), default=None)


def _shown(value: float | None, best: float | None) -> str:
    if value is None:
        return ""
    return f"**{100 * value:.1f}**" if value == best else f"{100 * value:.1f}"


def _rows(found: Sequence[tuple[Figure, Evaluation]]) -> Iterator[list[Any]]:
    for figure, evaluation in found:
        for row in curve_rows(evaluation):
            yield [figure.task, *row]
