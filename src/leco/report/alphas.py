"""The weights of all candidates over a search: a small chart for each edge and layer."""

from xml.etree.ElementTree import Element

from leco.report.axes import Axes
from leco.report.svg import drawing, element, line, path, text
from leco.search.history import SearchHistory


def alphas_chart(history: SearchHistory, edge: str, layer: int, found: str) -> Element:
    """The weights on an edge of layer `layer`, counted from 1, epoch by epoch; the operation found stands out."""
    series = {
        name: [entry[edge][layer - 1][index] for entry in history.weights]
        for index, name in enumerate(history.operations[edge])
    }
    highest = max(weight for entry in history.weights for row in entry[edge] for weight in row)
    epochs = max(len(history.weights) - 1, 1)
    axes = Axes(158, 108, (0, epochs), (0, highest * 1.08), left=34, bottom=22, right=8, top=18)
    parts = [
        text(0, 12, f"layer {layer}: {found}", "start", "caption"),
        line(axes.left, axes.y(0), axes.width - axes.right, axes.y(0), "axis"),
        line(axes.left, axes.y(highest), axes.width - axes.right, axes.y(highest), "rule"),
        text(axes.left - 5, axes.y(0) + 4, "0", "end", "tick"),
        text(axes.left - 5, axes.y(highest) + 4, f"{highest:.2f}", "end", "tick"),
        text(axes.left, axes.height - 7, "0", class_="tick"),
        text(axes.x(epochs), axes.height - 7, str(epochs), "end", "tick"),
    ]
    for name, weights in sorted(series.items(), key=lambda item: item[0] == found):
        drawn = path([(axes.x(epoch), axes.y(weight)) for epoch, weight in enumerate(weights)], "line")
        drawn.set("data-tip", f"{edge.replace('_', ' ')}, layer {layer}: {name}\n{weights[0]:.3f} → {weights[-1]:.3f}")
        parts.append(element("g", drawn, class_="series found" if name == found else "series"))
    label = f"{edge.replace('_', ' ')}, layer {layer}: {found} was found, its weight ends at {series[found][-1]:.3f}"
    return drawing(axes.width, axes.height, *parts, label=label)
