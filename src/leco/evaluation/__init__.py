"""Scores, the choice of a criterion's settings, and measured speedups."""

from leco.evaluation.evaluate import Evaluation, align_labels, choose_criterion, evaluate

__all__ = ["Evaluation", "align_labels", "choose_criterion", "evaluate"]
