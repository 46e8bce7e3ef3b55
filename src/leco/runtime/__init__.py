"""How a decision runs fast: the early-exiting loop that every runtime shares. Nothing here imports PyTorch."""

from leco.runtime.answers import Answer, answers
from leco.runtime.engine import Decisions, Encoding, Stages, decide
from leco.runtime.session import Session

__all__ = ["Answer", "Decisions", "Encoding", "Session", "Stages", "answers", "decide"]
