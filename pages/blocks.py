"""The blocks of a page, as they are to be run.

What is shown is what runs. Three marks may stand on the line before a block, or behind its language:

- `<!-- not run: REASON -->`: it is not run, for this reason;
- `<!-- needs: PROGRAM ... -->`: it is run where these programs (or packages of `examples/node`) are there;
- ```` ```java title="Ask.java" ````: a block with a title is written as the file of this name, and run by others.
"""

import re
from dataclasses import dataclass

FENCE = re.compile(
    r"^(?:<!-- (?P<mark>not run|needs): (?P<about>.*?) -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^(?P=indent)```$",
    re.M | re.S,
)
RUN = ("bash", "python")


@dataclass(frozen=True)
class Block:
    """A block: its place, language and text, the file that it is, what it needs, and why it is not run."""

    start: int
    end: int
    language: str
    text: str
    file: str = ""
    needs: tuple[str, ...] = ()
    reason: str = ""

    @property
    def runs(self) -> bool:
        """Whether it is run: a command line or a program, unless it says why not."""
        return self.language in RUN and not self.reason and not self.file


def blocks(text: str) -> list[Block]:
    """The blocks of a page in their order."""
    return [
        Block(
            found.start(),
            found.end(),
            found["language"],
            re.sub(rf"^{found['indent']}", "", found["text"], flags=re.M),
            found["title"] or "",
            tuple(found["about"].split()) if found["mark"] == "needs" else (),
            found["about"] if found["mark"] == "not run" else "",
        )
        for found in FENCE.finditer(text)
    ]
