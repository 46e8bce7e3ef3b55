"""The pictures of the explanation, drawn here: SVG that takes its colours from the page around it."""

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from leco.report.svg import drawing, element, line, markup, path, text

FOLDER = "assets/drawn"
LEAVES = (2, 4, 1, 6)
"""The layers at which the four texts of the first picture leave."""


def box(x: float, y: float, width: float, height: float, words: str, class_: str = "box") -> Element:
    """A box with words in its middle."""
    corners = element("rect", x=x, y=y, width=width, height=height, rx=6, class_=class_)
    return element("g", corners, text(x + width / 2, y + height / 2 + 5, words, class_=f"in-{class_}"))


def arrow(x1: float, y1: float, x2: float, y2: float, class_: str = "flow") -> Element:
    """A line with a head at its end, straight down, up or to the right."""
    across = y1 == y2
    tip = [(x2 - 7, y2 - 4), (x2, y2), (x2 - 7, y2 + 4)]
    if not across:
        back = 7 if y2 > y1 else -7
        tip = [(x2 - 4, y2 - back), (x2, y2), (x2 + 4, y2 - back)]
    return element("g", line(x1, y1, x2, y2, class_), path(tip, class_))


def picture(width: float, height: float, parts: Iterable[Element], label: str) -> str:
    """The drawing as a figure of a page."""
    drawn = markup(drawing(width, height, *parts, label=label, class_="drawn"))
    return f"<figure>{drawn}</figure>\n"


def layers() -> str:
    """Texts that leave at different layers of an encoder."""
    parts: list[Element] = []
    for layer in range(1, 7):
        x = 40 + 108 * layer
        parts += [box(x, 30, 84, 34, f"layer {layer}"), box(x + 12, 92, 60, 28, "exit", "exit")]
        parts.append(arrow(x + 42, 64, x + 42, 91, "faint"))
        if layer < 6:
            parts.append(arrow(x + 84, 47, x + 107, 47))
    parts += [text(40, 52, "texts", anchor="start", class_="note"), arrow(84, 47, 147, 47)]
    words = ("a wonderful film", "not bad, once the first hour is over", "so dull", "it is what one makes of it")
    for row, (layer, sentence) in enumerate(zip(LEAVES, words, strict=True)):
        y, end = 152 + 26 * row, 40 + 108 * layer + 42
        parts += [
            line(104, y, end, y, "way"),
            element("circle", cx=end, cy=y, r=5, class_="dot"),
            text(end + 14, y + 5, f"“{sentence}”", anchor="start" if layer < 5 else "end", class_="note")
            if layer < 5
            else text(end - 14, y - 8, f"“{sentence}”", anchor="end", class_="note"),
        ]
    return picture(810, 250, parts, "Four texts pass the layers of an encoder; three leave at exits before the last")


def learned_exit() -> str:
    """What an exit is made of, and what of it is searched."""
    parts = [
        box(10, 80, 92, 40, "hidden state"),
        box(132, 80, 70, 40, "linear"),
        box(232, 80, 100, 40, "activation", "exit"),
        box(372, 34, 106, 40, "encoder 1", "exit"),
        box(372, 126, 106, 40, "encoder 2", "exit"),
        element("circle", cx=516, cy=100, r=12, class_="box"),
        text(516, 106, "+", class_="in-box"),
        box(552, 80, 78, 40, "pooler", "exit"),
        box(660, 80, 100, 40, "activation", "exit"),
        box(790, 80, 70, 40, "linear"),
    ]
    for x1, x2 in ((102, 131), (202, 231), (528, 551), (630, 659), (760, 789)):
        parts.append(arrow(x1, 100, x2, 100))
    for y in (54, 146):
        parts += [path([(332, 100), (352, 100), (352, y)], "flow"), arrow(352, y, 371, y)]
        edge = 88 if y < 100 else 112
        parts += [line(478, y, 516, y, "flow"), arrow(516, y, 516, edge)]
    notes = {56: "[B, L, d]", 167: "d → 32", 591: "[B, L, 32] → [B, 32]", 825: "→ K labels"}
    parts += [text(x, 194, words, class_="note") for x, words in notes.items()]
    choices = {282: "relu, gelu, …", 425: "convolution, attention, skip, none", 710: "tanh, …"}
    parts += [text(x, 18, words, class_="note") for x, words in choices.items()]
    return picture(870, 204, parts, "An exit: linear layer, activation, two encoders side by side, pooler, activation")


def search() -> str:
    """The two halves of the data in a search, and what each moves."""
    parts = [
        box(10, 20, 150, 36, "half of the texts"),
        box(10, 124, 150, 36, "the other half"),
        box(240, 20, 210, 36, "weights: backbone and exits"),
        box(240, 124, 210, 36, "alphas: mix of operations", "exit"),
        arrow(160, 38, 239, 38),
        arrow(160, 142, 239, 142),
        arrow(310, 56, 310, 123),
        arrow(380, 124, 380, 57),
        text(300, 94, "judged", anchor="end", class_="note"),
        text(390, 94, "mixed", anchor="start", class_="note"),
        arrow(450, 142, 529, 142),
        box(530, 124, 150, 36, "best of each edge"),
        arrow(680, 142, 719, 142),
        box(720, 124, 130, 36, "architectures"),
        text(490, 132, "at the end", class_="note"),
    ]
    return picture(
        860, 180, parts, "Weights learn on one half of the texts, the mix of operations on the other, in turn"
    )


def criteria() -> str:
    """What two criteria make of the same exits of one text."""
    said = (0.55, 0.82, 0.9, 0.93, 0.95, 0.96)
    left, bottom, height = 60, 170, 140
    places = [(left + 110 * number + 40, bottom - height * (value - 0.5) * 2) for number, value in enumerate(said)]
    parts = [line(left, bottom, 700, bottom, "axis"), line(left, bottom, left, 20, "axis")]
    for value in (0.5, 0.75, 1.0):
        y = bottom - height * (value - 0.5) * 2
        parts += [text(left - 8, y + 5, f"{value:g}", anchor="end", class_="note"), line(left, y, 700, y, "grid")]
    parts += [path(places, "way")]
    for number, (x, y) in enumerate(places, start=1):
        parts += [
            element("circle", cx=x, cy=y, r=5, class_="dot"),
            text(x, bottom + 22, f"exit {number}", class_="note"),
        ]
    threshold = bottom - height * (0.88 - 0.5) * 2
    parts += [
        line(left, threshold, 700, threshold, "threshold"),
        text(708, threshold + 5, "max-probability: tau", anchor="start", class_="note"),
        element("circle", cx=places[2][0], cy=places[2][1], r=11, class_="ring"),
        text(places[2][0], places[2][1] - 18, "above tau: leaves at 3", class_="note"),
        element("circle", cx=places[3][0], cy=places[3][1], r=11, class_="ring"),
        text(
            places[3][0] + 16,
            places[3][1] + 30,
            "changed by less than 0.05: cobee leaves at 4",
            anchor="start",
            class_="note",
        ),
    ]
    return picture(870, 204, parts, "The probability of one label by exit, and where two criteria let the text leave")


PICTURES: dict[str, Callable[[], str]] = {
    "layers": layers,
    "exit": learned_exit,
    "search": search,
    "criteria": criteria,
}
