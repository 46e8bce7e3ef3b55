"""Ways to answer texts that are compared: models and runtimes. Each runs in a process of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leco.data import Text
from leco.errors import LecoError
from leco.options import naming
from leco.registry import Registry

Array = NDArray[Any]


class Runner(Protocol):
    """A model that is loaded in its runtime."""

    def encode(self, texts: Sequence[Text]) -> list[Any]:
        """The tokens of each text."""

    def run(self, encodings: Sequence[Any], batch_size: int) -> tuple[Array, Array]:
        """The scores [N, K] of tokenized texts, and the share of the layers that each took [N], from 0 to 1."""


@dataclass(frozen=True)
class Way:
    """What is timed: a name to show, the kind of runner in `RUNNERS`, and the file or folder that it loads."""

    name: str
    kind: str
    path: Path

    def load(self, label_names: Sequence[str]) -> Runner:
        """Load it, for scores in the order of `label_names`; LecoError where that cannot be."""
        return RUNNERS[self.kind](self.path, label_names)


class OnnxRunner:
    """A file that `leco export` wrote, or the plain model beside it, in ONNX Runtime."""

    def __init__(self, path: Path, label_names: Sequence[str]) -> None:
        from leco.runtime import Session

        self.session = Session(path)
        self.order = positions(self.session.label_names, label_names, path)
        self.encode = self.session.encode

    def run(self, encodings: Sequence[Any], batch_size: int) -> tuple[Array, Array]:
        """Run in batches of similar length."""
        decisions = self.session.decide(encodings, batch_size=batch_size)
        return decisions.scores[:, self.order], decisions.exit_layers / self.session.metadata["layers"]


class TorchRunner:
    """A multi-exit model in PyTorch, with the criterion in its configuration or at full depth."""

    def __init__(
        self,
        path: Path,
        label_names: Sequence[str],
        *,
        full_depth: bool = False,
        bf16: bool = False,
        compile: bool = False,
    ) -> None:
        from leco.criteria import Static
        from leco.model import load_model

        self.model = load_model(path).eval().prepare(bf16=bf16, compile=compile)
        self.criterion = Static() if full_depth else self.model.config.criterion
        self.order = positions(self.model.config.label_names, label_names, path)

    def encode(self, texts: Sequence[Text]) -> list[Any]:
        """The tokens of each text."""
        from leco.data import encode

        return encode(self.model.tokenizer, texts, self.model.max_length, log=lambda line: None)

    def run(self, encodings: Sequence[Any], batch_size: int) -> tuple[Array, Array]:
        """Run in batches of similar length."""
        import torch

        from leco.model import ModelStages
        from leco.runtime import decide

        with torch.inference_mode():
            decisions = decide(ModelStages(self.model), encodings, self.criterion, batch_size=batch_size)
        return decisions.scores[:, self.order], decisions.exit_layers / self.model.task.num_layers


class TransformersRunner:
    """Any sequence classifier of Transformers, such as a distilled one, in PyTorch."""

    def __init__(self, path: Path, label_names: Sequence[str]) -> None:
        from transformers import AutoModelForSequenceClassification

        from leco.model.pretrained import load, load_tokenizer

        with naming("against"):
            self.model = load(AutoModelForSequenceClassification, str(path), "model").eval()
            self.tokenizer = load_tokenizer(str(path), self.model.config)
        names = [self.model.config.id2label[index] for index in range(self.model.config.num_labels)]
        self.order = positions(names, label_names, path)

    def encode(self, texts: Sequence[Text]) -> list[Any]:
        """The tokens of each text."""
        from leco.data import encode

        longest = min(self.tokenizer.model_max_length, self.model.config.max_position_embeddings)
        return encode(self.tokenizer, texts, longest, log=lambda line: None)

    def run(self, encodings: Sequence[Any], batch_size: int) -> tuple[Array, Array]:
        """Run in batches of similar length."""
        import torch

        from leco.data import collate
        from leco.problems import PROBLEMS, SINGLE_LABEL
        from leco.runtime.engine import batches_by_length

        problem = PROBLEMS[self.model.config.problem_type or SINGLE_LABEL]
        scores = np.empty((len(encodings), len(self.order)), np.float32)
        with torch.inference_mode():
            for rows in batches_by_length(encodings, batch_size):
                logits = self.model(**collate(self.tokenizer, [encodings[row] for row in rows])).logits
                scores[rows] = problem.torch_scores(logits).numpy()
        return scores[:, self.order], np.ones(len(encodings))


def positions(own: Sequence[str], wanted: Sequence[str], path: Path) -> list[int]:
    """Where each wanted label is among a model's own; LecoError where one is not."""
    if set(own) != set(wanted):
        raise LecoError(f"'{path}' has the labels {', '.join(own)}, not {', '.join(wanted)} as the model has.")
    return [own.index(name) for name in wanted]


RUNNERS: Registry[Any] = Registry(
    "way",
    {
        "onnx": OnnxRunner,
        "torch": TorchRunner,
        "torch-bf16": partial(TorchRunner, bf16=True),
        "torch-compile": partial(TorchRunner, compile=True),
        "torch-bf16-compile": partial(TorchRunner, bf16=True, compile=True),
        "torch-full": partial(TorchRunner, full_depth=True),
        "torch-full-bf16": partial(TorchRunner, full_depth=True, bf16=True),
        "torch-full-compile": partial(TorchRunner, full_depth=True, compile=True),
        "torch-full-bf16-compile": partial(TorchRunner, full_depth=True, bf16=True, compile=True),
        "transformers": TransformersRunner,
    },
)
