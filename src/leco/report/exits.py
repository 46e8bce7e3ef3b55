"""The exits' scores and where texts leave, as charts."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from leco.display import shortened
from leco.evaluation import Evaluation
from leco.report.axes import Axes, padded, ticks
from leco.report.svg import drawing, element, line, path, text


def scores_chart(found: Evaluation, width: float, height: float) -> Element:
    """The score of each exit on test and on dev, their mean, and the score with early exits."""
    test, dev = found.exit_scores, found.dev.get("exit_scores", [])
    layers = found.layers_with_exits
    axes = Axes(width, height, (min(layers[0], 1) - 0.4, layers[-1] + 0.4), padded([*test, *dev, found.score]))
    mean = sum(test) / len(test)
    parts = [
        axes.frame(
            "layer of the exit", metric_name(found), [*map(float, layers)], ticks(*axes.ys, 5), "{:.0f}".format, number
        ),
        line(axes.left, axes.y(mean), axes.width - axes.right, axes.y(mean), "mean"),
        text(axes.left + 6, axes.y(mean) - 5, f"AVG {mean:.4f}", "start", "tick"),
    ]
    for name, scores in (("dev", dev), ("test", test)) if dev else (("test", test),):
        spots = [(axes.x(layer), axes.y(score)) for layer, score in zip(layers, scores, strict=True)]
        marks = [
            element("circle", cx=x, cy=y, r=5 if name == "test" else 3.5, class_="mark", data_tip=tip)
            for (x, y), tip in zip(
                spots, (f"exit {m}, {name}: {score:.4f}" for m, score in zip(layers, scores, strict=True)), strict=True
            )
        ]
        parts.append(element("g", path(spots, "line"), *marks, class_=f"series {name}"))
    label = f"Score of each exit: {', '.join(map(number, test))} on test"
    return drawing(axes.width, axes.height, *parts, label=label, keyboard=True)


def most_frequent(counts_by_label: Mapping[str, list[int]], number: int = 20) -> list[tuple[str, list[int]]]:
    """Short names of labels and how many texts leave at each layer, with all but the `number` most frequent as one.

    All are in evaluation.json.

    >>> most_frequent({"a": [1, 0], "b": [2, 2], "c": [0, 1]}, 1)
    [('b', [2, 2]), ('2 other labels', [1, 1])]
    """
    if len(counts_by_label) <= number:
        return [(shortened(name), counts) for name, counts in counts_by_label.items()]
    ordered = sorted(counts_by_label.items(), key=lambda item: -sum(item[1]))
    others = [sum(layer) for layer in zip(*(counts for _, counts in ordered[number:]), strict=True)]
    shown = [(shortened(name), counts) for name, counts in ordered[:number]]
    return [*shown, (f"{len(ordered) - number:,} other labels", others)]


def shares_of(counts: Sequence[int]) -> list[float]:
    """The shares of the texts of a class that leave at each layer; 0 where it has none.

    >>> shares_of([1, 3]), shares_of([0, 0])
    ([0.25, 0.75], [0.0, 0.0])
    """
    return [count / max(sum(counts), 1) for count in counts]


def leaving_chart(name: str, layers: Sequence[int], counts: Sequence[int], highest: float) -> Element:
    """The share of a class's texts that leaves at each layer, on a scale up to `highest`."""
    axes = Axes(320, 190, (layers[0] - 0.6, layers[-1] + 0.6), (0, highest), left=40)
    width = 0.72 * (axes.x(1) - axes.x(0))
    total, shares = sum(counts), shares_of(counts)
    bars = [
        element(
            "rect",
            x=axes.x(layer) - width / 2,
            y=axes.y(share),
            width=width,
            height=axes.y(0) - axes.y(share),
            rx=2,
            class_="mark bar",
            data_tip=f"{name}, layer {layer}: {count} of {total} texts ({share:.1%})",
        )
        for layer, count, share in zip(layers, counts, shares, strict=True)
    ]
    every = max(1, len(counts) // 8)
    xs = [*map(float, layers[::every])]
    frame = axes.frame("layer", "", xs, ticks(0, highest, 4), "{:.0f}".format, "{:.0%}".format)
    label = f"{name}: share of texts leaving at each layer: {', '.join(f'{share:.0%}' for share in shares)}"
    return drawing(axes.width, axes.height, frame, element("g", *bars, class_="series"), label=label, keyboard=True)


def metric_name(found: Evaluation) -> str:
    """The metric as people read it."""
    return found.metric.replace("_", " ")


def number(value: float) -> str:
    """A score on an axis or in a sentence.

    >>> number(0.8), number(0.825)
    ('0.80', '0.825')
    """
    short = f"{value:.2f}"
    return short if abs(float(short) - value) < 1e-9 else f"{value:.3f}"
