"""What a labelled text data set is once it is read: texts, labels and what they mean."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.problems import PROBLEMS, Problem
from leco.provenance import Provenance
from leco.settings import SourceOptions
from leco.sketches import sketch
from leco.tokens import Encoding, Text

Array = NDArray[Any]
CALIBRATION = "calibration"
"""The part of a data set that certifies early answers."""


@dataclass(frozen=True)
class Split:
    """N rows of a data set: their `texts` [N], and what is known of them.

    `labels` are int64 [N] for a single label, float32 [N] for a regression, float32 [N, K] of 0 and 1 for many
    labels. `groups` [N] names the group of each row where the score is a mean over groups (MNLI's test set).
    `encodings` [N] are the tokens of the texts, once the predictor in use has made them (`leco.evaluation.tokenized`).

    >>> split = Split(["good", "bad"], np.array([1, 0]))
    >>> split.take([1]).texts, len(split)
    (['bad'], 2)
    """

    texts: list[Text]
    labels: Array
    groups: Array | None = None
    encodings: list[Encoding] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def fingerprint(self) -> str:
        """A short hash of all texts and labels, and of their order."""
        digest = hashlib.sha256(self.labels.tobytes())
        for text in self.texts:
            digest.update(repr(text).encode())
        return digest.hexdigest()[:16]

    def take(self, indices: Sequence[int] | Array) -> "Split":
        """The rows at `indices` [n], in that order."""
        rows = np.asarray(indices, dtype=np.int64)
        return Split(
            [self.texts[row] for row in rows],
            self.labels[rows],
            None if self.groups is None else self.groups[rows],
            None if self.encodings is None else [self.encodings[row] for row in rows],
        )


@dataclass(frozen=True)
class TextData:
    """A data set with its splits.

    `problem_type` is Transformers' name of the kind of problem, `metric` a name in `leco.data.METRICS`; `label_names`
    [K] are empty for a regression, and `pair` says whether each text is a pair. `source` and `hashes` are those of
    `Provenance`. `train` teaches, `dev` chooses, `test` is scored. `dev` has no rows where texts are only evaluated and
    no dev rows could be had. `calibration`, where there is any, are rows that neither train nor choose anything, and
    certify early answers.
    """

    name: str
    train: Split
    dev: Split
    test: Split
    label_names: tuple[str, ...]
    problem_type: str
    metric: str
    pair: bool
    source: SourceOptions = field(default_factory=SourceOptions)
    hashes: Mapping[str, str] = field(default_factory=dict)
    calibration: Split | None = None

    @property
    def provenance(self) -> Provenance:
        """What a model that is trained on these data keeps of them."""
        cut = 0 if self.calibration is None or CALIBRATION in self.hashes else len(self.calibration)
        seen = sketch([*self.train.texts, *self.dev.texts])
        return Provenance(self.name, self.pair, self.metric, dict(self.hashes), self.source, cut, seen)

    @property
    def problem(self) -> Problem:
        """The kind of problem."""
        return PROBLEMS[self.problem_type]

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names [K] of an exit's outputs: the labels, or one for the value of a regression."""
        return self.problem.output_names(self.label_names)

    @property
    def num_outputs(self) -> int:
        """K, the number of outputs of an exit."""
        return len(self.output_names)
