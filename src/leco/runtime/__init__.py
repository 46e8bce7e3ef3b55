"""How a decision runs fast: the early-exiting loop that every runtime shares. Nothing here imports PyTorch."""

from leco.runtime.answers import Answer, answers
from leco.runtime.engine import Decisions, Encoding, Stages, decide

__all__ = ["Answer", "Decisions", "Encoding", "Stages", "answers", "decide"]
