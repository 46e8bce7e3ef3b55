"""Settings tried on texts that run once: what a predictor says early and at full depth, text by text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.calibration import Loss, Tried
from leco.criteria import Criterion
from leco.data import Split
from leco.errors import LecoError
from leco.evaluation.kept import Arrays, Kept
from leco.evaluation.scores import Stored, exit_outputs
from leco.evaluation.tokens import tokens
from leco.progress import progress_bar
from leco.runtime import Decisions, GivesAllExits, Predictor
from leco.tokens import Encoding

PIECE = 1024
"""Texts whose outputs are kept at a time."""


@dataclass(frozen=True)
class Trials:
    """The answers of a predictor to the texts of a split by any setting; nothing runs twice, and killed runs go on.

    What is `kept` of one split is not found for another, a part of it among them.
    """

    predictor: Predictor
    split: Split
    loss: Loss
    kept: Kept = field(default_factory=Kept)

    def attempt(self, criterion: Criterion) -> Tried:
        """What the texts lose by a setting, and where they leave."""
        early = self.decisions(criterion)
        losses = self.loss.of(self.predictor.problem, early.scores, self.full, self.split.labels)
        return Tried(criterion, losses, early.exit_layers)

    @cached_property
    def full(self) -> NDArray[Any]:
        """The scores [N, K] at full depth."""
        return self.decisions(self.predictor.full_depth).scores

    def decisions(self, criterion: Criterion) -> Decisions:
        """The scores [N, K] and exit layers [N] by a setting: simulated, or else each text runs alone by it."""
        if isinstance(self.predictor, GivesAllExits):
            layers = self.stored.exit_layers(criterion, self.predictor.task)
            return Decisions(self.stored.leaving(layers), layers)
        found = self._by_pieces(f"decisions by {criterion}", f"answering by {criterion}", criterion)
        return Decisions(found["scores"], found["exit_layers"])

    @cached_property
    def stored(self) -> Stored:
        """What every exit says of every text, of a predictor that gives that."""
        found = self._by_pieces("exits", "running all exits")
        observed = {name: values for name, values in found.items() if name != "scores"}
        problem, on = self.predictor.problem, self.predictor.task.exit_layers
        return Stored(found["scores"], self.split, problem.metric, problem.name, observed, on)

    def _by_pieces(self, name: str, shown: str, criterion: Criterion | None = None) -> Arrays:
        """Arrays of all texts, made and kept piece by piece."""
        encodings, texts, pieces = tokens(self.predictor, self.split), self.split.fingerprint, []
        with progress_bar(shown, len(encodings)) as advance:
            for start in range(0, len(encodings), PIECE):
                piece = encodings[start : start + PIECE]
                made = self.kept.arrays(f"{name} of {texts} from {start}", partial(self._run, piece, criterion))
                pieces.append(made)
                advance(len(piece))
        axis = 1 if criterion is None else 0  # that of the texts
        return {one: np.concatenate([piece[one] for piece in pieces], axis=axis) for one in pieces[0]}

    def _run(self, encodings: Sequence[Encoding], criterion: Criterion | None) -> Arrays:
        """What all exits say of some texts, or what these leave with; LecoError where that is not finite."""
        if criterion is None:
            assert isinstance(self.predictor, GivesAllExits)
            scores, observed = exit_outputs(self.predictor, encodings)
            return {"scores": scores, **observed}
        decided = self.predictor.decide(encodings, criterion)
        if not np.isfinite(decided.scores).all():
            raise LecoError("The answers of this model are not finite numbers. Train it again, and export it then.")
        return {"scores": decided.scores, "exit_layers": decided.exit_layers}
