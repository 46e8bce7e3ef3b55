"""SVG as elements, whose texts and attributes are escaped when they are written."""

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, tostring

from leco.display import visible


def element(name: str, *content: Element | str, **attributes: Any) -> Element:
    """An element; in attribute names `_` is `-`, at the end it is dropped; numbers are rounded, None is left out."""
    made = Element(name)
    for key, value in attributes.items():
        if value is not None:
            made.set(key.rstrip("_").replace("_", "-"), _written(value))
    for part in content:
        if isinstance(part, str):
            made.text = (made.text or "") + visible(part, lines=True)
        else:
            made.append(part)
    return made


def drawing(width: float, height: float, *content: Element, label: str, keyboard: bool = False, **more: Any) -> Element:
    """A drawing of its natural size that shrinks where there is less room; `label` says what is on it.

    With `keyboard` it takes the focus, and arrow keys go through the marks in it that have a `data_tip`.
    """
    return element(
        "svg",
        *content,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="group" if keyboard else "img",
        aria_label=label + ("; arrow keys go from point to point" if keyboard else ""),
        tabindex=0 if keyboard else None,
        **more,
    )


def text(x: float, y: float, content: str, anchor: str = "middle", class_: str | None = None, **more: Any) -> Element:
    """A line of text."""
    return element("text", content, x=x, y=y, text_anchor=anchor, class_=class_, **more)


def line(x1: float, y1: float, x2: float, y2: float, class_: str, **more: Any) -> Element:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_, **more)


def path(points: Sequence[tuple[float, float]], class_: str) -> Element:
    """A line through points."""
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=class_)


def markup(drawn: Element) -> str:
    """The element as it stands in a page."""
    return tostring(drawn, encoding="unicode")


def _written(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else visible(value, lines=True)
