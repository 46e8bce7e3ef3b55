"""The former name of `leco.reproduction`."""

from leco import reproduction
from leco.renamed import renamed

__getattr__ = renamed(
    __name__,
    {name: f"leco.reproduction.{name}" for name in reproduction.__all__} | {"Plan": "leco.reproduction.PaperTables"},
)
