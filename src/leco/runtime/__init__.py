"""How a decision runs fast: what every predictor shares, the early-exiting loop, ONNX Runtime. Never PyTorch."""

from leco.runtime.answers import Answer, answers
from leco.runtime.engine import Decisions, Stages, decide, in_batches
from leco.runtime.flow import POLICIES, Flow, Policy, Row
from leco.runtime.predictor import (
    GivesAllExits,
    Predictor,
    PredictorMixin,
    RunsByLayer,
    answer_pieces,
    doubt_of,
    encoded,
)
from leco.runtime.session import Session
from leco.runtime.watched import Watched, WatchFile, monitor_options, unwatched, watched
from leco.tokens import Encoding

__all__ = [
    "POLICIES",
    "Answer",
    "Decisions",
    "Encoding",
    "Flow",
    "GivesAllExits",
    "Policy",
    "Predictor",
    "PredictorMixin",
    "Row",
    "RunsByLayer",
    "Session",
    "Stages",
    "WatchFile",
    "Watched",
    "answer_pieces",
    "answers",
    "decide",
    "doubt_of",
    "encoded",
    "in_batches",
    "monitor_options",
    "unwatched",
    "watched",
]
