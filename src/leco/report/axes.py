"""The frame of a chart: where values lie in it, grid lines, ticks and names."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log10
from xml.etree.ElementTree import Element

from leco.report.svg import element, line, text


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from `low` to `high`, about so many.

    >>> ticks(0.71, 0.86, 4)
    [0.75, 0.8, 0.85]
    """
    raw = max(high - low, 1e-9) / about
    magnitude = 10 ** floor(log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * 0.999)
    return [round(number * step, 10) for number in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def padded(values: list[float], share: float = 0.08) -> tuple[float, float]:
    """The range of values with some room at both ends."""
    room = max(max(values) - min(values), 0.01) * share
    return min(values) - room, max(values) + room


@dataclass(frozen=True)
class Axes:
    """A plane of `width` by `height` with margins for what is written beside it."""

    width: float
    height: float
    xs: tuple[float, float]
    ys: tuple[float, float]
    left: float = 60
    bottom: float = 40
    right: float = 10
    top: float = 10

    def x(self, value: float) -> float:
        """Where a value lies from the left."""
        low, high = self.xs
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        """Where a value lies from the top."""
        low, high = self.ys
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.bottom - self.top)

    def frame(
        self,
        x_name: str,
        y_name: str,
        x_ticks: list[float],
        y_ticks: list[float],
        x_format: Callable[[float], str],
        y_format: Callable[[float], str],
    ) -> Element:
        """Grid, ticks and the names of both axes, which a reader of the page's words is told otherwise."""
        end, floor_ = self.width - self.right, self.height - self.bottom
        parts = []
        for value in y_ticks:
            parts += [
                line(self.left, self.y(value), end, self.y(value), "rule"),
                text(self.left - 6, self.y(value) + 4, y_format(value), "end", "tick"),
            ]
        parts += [text(self.x(value), floor_ + 16, x_format(value), class_="tick") for value in x_ticks]
        parts.append(line(self.left, floor_, end, floor_, "axis"))
        parts.append(text((self.left + end) / 2, self.height - 6, x_name, class_="name"))
        if y_name:
            middle = (self.top + floor_) / 2
            parts.append(text(12, middle, y_name, class_="name", transform=f"rotate(-90 12 {middle:g})"))
        return element("g", *parts, aria_hidden="true")
