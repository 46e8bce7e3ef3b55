"""By which settings each part is read, whichever other parts there are."""

from dataclasses import dataclass, replace
from functools import partial

from leco.bulk.parts import Part
from leco.bulk.places import opened
from leco.data.encodings import holds_utf8
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
        if self.inherited is None or holds_utf8(partial(opened, part.address), part.name):
            return self.options
        return replace(self.options, encoding=self.inherited)
