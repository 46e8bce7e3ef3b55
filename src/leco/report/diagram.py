"""The exit on a layer, drawn as the middle of the paper's Figure 1."""

from xml.etree.ElementTree import Element

from leco.exits.architecture import Architecture, ExitArchitecture
from leco.report.svg import drawing, element, path, text

WIDTH, BOX, GAP = 192.0, 30.0, 15.0
MIDDLE, LEFT, RIGHT = WIDTH / 2, 50.0, WIDTH - 50.0
NULL = "null"


def diagram(architecture: ExitArchitecture, layer: int, hidden_size: int, num_outputs: int) -> Element:
    """The data's way from the layer's hidden state (the embeddings' at 0) to the outputs; what is left out is dashed.

    Exits of other kinds than the paper's cell are one box with their kind.
    """
    place = f"layer {layer}" if layer else "the embeddings"
    way = _Way(f"hidden state of {place}" if layer else "embeddings")
    if isinstance(architecture, Architecture):
        one, width = architecture, architecture.width
        way.box(f"down {hidden_size} → {width}", "linear")
        way.box(one.activation_1, "activation")
        way.both(one.encoder_1, one.encoder_2)
        way.box(f"{one.pooler} pooling", "pooler")
        way.box(one.activation_2, "activation")
        way.box(f"classifier {width} → {num_outputs}", "linear")
        words = (
            f"down-projection from {hidden_size} to {width}, activation {one.activation_1}, encoder operations "
            f"{one.encoder_1} and {one.encoder_2}, summed, {one.pooler} pooling, activation {one.activation_2}, "
            "linear classifier"
        )
    else:
        way.box("first token, [CLS]", "pooler")
        way.box(f"{architecture.kind} {hidden_size} → {num_outputs}", "linear")
        words = f"a {architecture.kind} classifier of the first token's state"
    return way.drawn(f"Exit on {place}: {words}")


class _Way:
    """A drawing that grows downwards, box by box."""

    def __init__(self, start: str) -> None:
        self.y = 22.0
        self.parts = [text(MIDDLE, 15, start, class_="tick")]

    def box(self, name: str, kind: str) -> None:
        """The next operation."""
        self._arrow([(MIDDLE, self.y), (MIDDLE, self.y + GAP - 2)])
        self._operation(MIDDLE, self.y + GAP, 150, name, kind)
        self.y += GAP + BOX

    def both(self, first: str, second: str) -> None:
        """Two encoder operations side by side, each of the same input, and the sum of them."""
        fork, top = self.y + GAP, self.y + 2 * GAP
        total = top + BOX + GAP + 9
        self.parts.append(
            element("rect", x=2, y=self.y + 7, width=WIDTH - 4, height=total - self.y + 9, class_="cell", rx=8)
        )
        self.parts.append(path([(MIDDLE, self.y), (MIDDLE, fork - 2)], "flow"))
        for x, name in ((LEFT, first), (RIGHT, second)):
            self._arrow([(MIDDLE, fork - 2), (x, fork - 2), (x, top - 2)], name)
            self._operation(x, top, 86, name, "encoder")
            self._arrow([(x, top + BOX), (x, total), (MIDDLE + (10 if x > MIDDLE else -10), total)], name)
        self.parts.append(element("circle", cx=MIDDLE, cy=total, r=9, class_="sum"))
        self.parts.append(text(MIDDLE, total + 4.5, "+", class_="plus"))
        self.y = total + 9

    def drawn(self, label: str) -> Element:
        """The whole."""
        self._arrow([(MIDDLE, self.y), (MIDDLE, self.y + GAP - 2)])
        self.parts.append(text(MIDDLE, self.y + GAP + 11, "answer", class_="tick"))
        return drawing(WIDTH, self.y + GAP + 18, *self.parts, label=label, class_="diagram")

    def _operation(self, x: float, y: float, width: float, name: str, kind: str) -> None:
        empty = " empty" if name == NULL else ""
        self.parts.append(
            element("rect", x=x - width / 2, y=y, width=width, height=BOX, rx=6, class_=f"box {kind}{empty}")
        )
        self.parts.append(text(x, y + BOX / 2 + 4.5, name, class_=f"operation {kind}{empty}"))

    def _arrow(self, points: list[tuple[float, float]], name: str = "") -> None:
        (x0, y0), (x, y) = points[-2:]
        dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
        empty = " empty" if name == NULL else ""
        self.parts.append(path(points, f"flow{empty}"))
        tip = [(x, y), (x - 5 * dx + 3 * dy, y - 5 * dy + 3 * dx), (x - 5 * dx - 3 * dy, y - 5 * dy - 3 * dx)]
        corners = " ".join(f"{a:g},{b:g}" for a, b in tip)
        self.parts.append(element("polygon", points=corners, class_=f"tip{empty}"))
