"""What a model is and does, as one page of HTML."""

from leco.report.content import Content, gather
from leco.report.page import render

__all__ = ["Content", "gather", "render"]
