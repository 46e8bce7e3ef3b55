"""Scores, the choice of a criterion's settings, measured speedups and curves."""

from leco.evaluation.contest import Contest, read_contest
from leco.evaluation.data import align_labels, data_for
from leco.evaluation.evaluate import applicable_criteria, choose_criterion, compete, evaluate
from leco.evaluation.files import EVALUATION, save_evaluation
from leco.evaluation.result import Evaluation, read_evaluation
from leco.evaluation.tokens import tokenized

__all__ = [
    "EVALUATION",
    "Contest",
    "Evaluation",
    "align_labels",
    "applicable_criteria",
    "choose_criterion",
    "compete",
    "data_for",
    "evaluate",
    "read_contest",
    "read_evaluation",
    "save_evaluation",
    "tokenized",
]
