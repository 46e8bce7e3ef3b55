"""What a model is and does, as one page of HTML."""

from leco.report.content import Content, gather
from leco.report.page import MARK, render

__all__ = ["MARK", "Content", "gather", "render"]
