"""How a decision runs fast: the early-exiting loop that every runtime shares. Nothing here imports PyTorch."""

from leco.runtime.answers import Answer, answers
from leco.runtime.engine import Decisions, Encoding, Stages, decide
from leco.runtime.session import Session
from leco.runtime.texts import answer_pieces

__all__ = ["Answer", "Decisions", "Encoding", "Session", "Stages", "answer_pieces", "answers", "decide"]
