"""By which settings each part is read, whichever other parts there are."""

from collections import deque
from dataclasses import dataclass, replace

from leco.bulk.parts import Part
from leco.bulk.places import opened
from leco.data.encodings import text_lines
from leco.errors import LecoError
from leco.settings import SourceOptions


@dataclass(frozen=True)
class Source:
    """How parts are read.

    Attributes:
        options: the settings of all parts; an encoding among them is one that is given, and is that of all.
        inherited: the encoding of the training's data, and so of each part that is not UTF-8; None where one is given.

    """

    options: SourceOptions
    inherited: str | None = None

    def of(self, part: Part) -> SourceOptions:
        """The settings by which a part is read."""
        if self.inherited is None or _is_utf8(part):
            return self.options
        return replace(self.options, encoding=self.inherited)


def _is_utf8(part: Part) -> bool:
    """Whether a part can be read, and is UTF-8 text throughout; of another kind than Parquet."""
    try:
        with opened(part.address) as file:
            deque(text_lines(file, part.name), maxlen=0)
    except LecoError:
        return False
    return True
