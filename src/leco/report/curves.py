"""The speedup-score curves as a chart: a colour and a marker for each criterion, and the oracle's as the bound."""

from collections.abc import Mapping
from itertools import cycle
from xml.etree.ElementTree import Element

from leco.criteria import Oracle
from leco.evaluation import Evaluation
from leco.evaluation.curve import Curve, Point
from leco.registry import format_settings
from leco.report.axes import Axes, padded, ticks
from leco.report.exits import metric_name, number
from leco.report.svg import drawing, element, path

MARKERS = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",  # circle
    "M-3.5,-3.5h7v7h-7z",  # square
    "M0,-4.5L4.3,3.2H-4.3z",  # triangle
    "M0,-5L4.4,0L0,5L-4.4,0z",  # diamond
    "M0,4.5L4.3,-3.2H-4.3z",  # triangle, downwards
    "M-1.6,-4.8h3.2v3.2h3.2v3.2h-3.2v3.2h-3.2v-3.2h-3.2v-3.2h3.2z",  # plus
)
COLOURS = 7
"""So many colours the page's style has, as classes c0, c1, ...; with the markers no two of 42 curves look alike."""


def looks(curves: Mapping[str, Curve]) -> dict[str, tuple[str, str]]:
    """For each curve its class and its marker, always the same for the same place in the order."""
    shapes = zip(cycle(f"c{index}" for index in range(COLOURS)), cycle(MARKERS), strict=False)
    return {name: ("bound", MARKERS[0]) if name == Oracle.name else next(shapes) for name in curves}


def curves_chart(found: Evaluation, width: float, height: float) -> Element:
    """All curves; the marks carry their values, the answering criterion's curve stands out."""
    points = [point for curve in found.curves.values() for point in curve.points]
    measured = found.measured
    savings, scores = [point.saved for point in points], [point.score for point in points]
    axes = Axes(width, height, padded(savings, 0.03), padded(scores, 0.05))
    frame = axes.frame(
        "speedup" if measured else "share of layers saved",
        metric_name(found),
        ticks(*axes.xs, 6),
        ticks(*axes.ys, 6),
        "{:.0%}".format,
        number,
    )
    series = []
    for name, (class_, marker) in looks(found.curves).items():
        spots = [(axes.x(point.saved), axes.y(point.score), point) for point in found.curves[name].points]
        marks = [
            element(
                "path",
                d=marker,
                transform=f"translate({x:.1f},{y:.1f})",
                class_="mark",
                data_tip=describe(name, point),
            )
            for x, y, point in spots
        ]
        chosen = " chosen" if name == found.criterion["name"] else ""
        level = [(axes.left, spots[0][1])] if name == Oracle.name else []  # more time would not help it
        drawn = path([*level, *((x, y) for x, y, _ in spots)], "line")
        series.append(element("g", drawn, *marks, class_=f"series {class_}{chosen}", data_name=name))
    series.sort(key=lambda one: "chosen" in one.get("class", ""))  # on top
    label = f"{'Speedup' if measured else 'Layers saved'} and score of {', '.join(found.curves)}"
    return drawing(width, height, frame, *series, label=label, keyboard=True)


def sample(marker: str) -> Element:
    """A piece of a curve with a mark on it, for the legend."""
    parts = (
        element("path", d="M1,7H25", class_="line"),
        element("path", d=marker, transform="translate(13,7)", class_="mark"),
    )
    return drawing(26, 14, *parts, label="", aria_hidden="true")


def describe(name: str, point: Point) -> str:
    """The values at a point, in lines."""
    settings = format_settings(point.criterion).replace(",", ", ")
    lines = [f"{name}  {settings}".rstrip(), f"score {point.score:.4f} (dev {point.dev_score:.4f})"]
    if point.speedup is not None:
        lines.append(f"speedup {point.speedup:.1%} ({point.speedup_factor:.2f}x)")
    lines.append(f"mean exit layer {point.mean_exit_layer:.2f}, {point.layers_saved:.1%} of the layers saved")
    return "\n".join(lines)
