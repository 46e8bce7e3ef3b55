"""Any sequence classifier of Transformers as a predictor that never exits early, to compare with."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from leco.criteria import Criterion, Static, Task
from leco.data import Encoding, collate
from leco.devices import pick_device
from leco.errors import LecoError
from leco.model.backbones import BACKBONES
from leco.model.encoding import TokenizerMixin
from leco.model.pretrained import load, load_tokenizer
from leco.problems import unnamed_problem
from leco.runtime import Decisions, PredictorMixin, in_batches
from leco.runtime.predictor import ignore


class PlainClassifier(TokenizerMixin, PredictorMixin):
    """A plain classifier of Transformers with its `tokenizer`: a `leco.runtime.Predictor` at full depth alone.

    `model` is loaded. Raises LecoError where its number of outputs is none that its kind of problem has.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        """Take a model that is loaded, and switch its dropout off."""
        self.model, self.tokenizer = model.eval(), tokenizer
        self.criterion: Criterion = Static()
        config: Any = model.config
        self.label_names: list[str] = [config.id2label[index] for index in range(config.num_labels)]
        layers = getattr(config, "num_hidden_layers", 1)  # where a family does not say, all of it counts as one
        outputs: int = config.num_labels
        self.task = Task(outputs, layers, config.problem_type or unnamed_problem(outputs).name)
        if not self.problem.fits(outputs):
            raise LecoError(f"'{model.name_or_path}' has {outputs} outputs, but a {self.problem.name} here has one.")
        self.max_length = longest(config, tokenizer)

    @torch.inference_mode()
    def decide(
        self,
        encodings: Sequence[Encoding],
        criterion: Criterion | None = None,
        *,
        batch_size: int = 1,
        on_batch: Callable[[int], None] = ignore,
    ) -> Decisions:
        """The scores [N, K] of tokenized texts, which run in batches of similar length and all leave at layer M.

        LecoError for a criterion by which they would leave before.
        """
        if criterion not in (None, Static(), Static(self.num_layers)):
            raise LecoError(f"A plain classifier has no exits to leave by: '{criterion}' needs a model of 'leco fit'.")

        def run(batch: list[Encoding]) -> Decisions:
            inputs = {name: value.to(self.model.device) for name, value in collate(self.tokenizer, batch).items()}
            scores = self.problem.torch_scores(self.model(**inputs).logits.float())
            return Decisions(scores.cpu().numpy(), np.full(len(batch), self.num_layers))

        return in_batches(run, encodings, self.task.num_outputs, batch_size=batch_size, on_batch=on_batch)


def load_classifier(folder: str | Path, device: str = "cpu") -> PlainClassifier:
    """The plain classifier in a `folder`, on a `device`: auto, cpu, cuda, cuda:N or mps.

    LecoError where it is broken, or its tokenizer does not fit.
    """
    place = pick_device(device)
    model: PreTrainedModel = load(AutoModelForSequenceClassification, str(folder), "model")
    tokenizer = load_tokenizer(str(folder), model.config)
    return PlainClassifier(model.to(place), tokenizer)  # type: ignore[arg-type]  # Transformers types it loosely


def longest(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """The number of tokens to which texts are cut: what the tokenizer says, and no more than there are positions."""
    if config.model_type in BACKBONES:
        return min(tokenizer.model_max_length, BACKBONES[config.model_type].max_length(config))
    return min(tokenizer.model_max_length, getattr(config, "max_position_embeddings", tokenizer.model_max_length))
