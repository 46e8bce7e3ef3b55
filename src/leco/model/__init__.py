"""The multi-exit model and the backbones it stands on."""

from leco.configuration import LecoConfig
from leco.model.classifier import PlainClassifier, load_classifier
from leco.model.loading import load_model
from leco.model.losses import divergence, doubt_loss, exit_losses, row_losses, uncertainty
from leco.model.multi_exit import MultiExitModel, MultiExitOutput, build_model
from leco.model.pretrained import load_backbone, load_config, load_tokenizer
from leco.model.stages import ModelStages, scores_of

__all__ = [
    "LecoConfig",
    "ModelStages",
    "MultiExitModel",
    "MultiExitOutput",
    "PlainClassifier",
    "build_model",
    "divergence",
    "doubt_loss",
    "exit_losses",
    "load_backbone",
    "load_classifier",
    "load_config",
    "load_model",
    "load_tokenizer",
    "row_losses",
    "scores_of",
    "uncertainty",
]
