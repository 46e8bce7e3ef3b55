"""The PyTorch model, cut for the early-exiting loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from leco.criteria import DOUBTS
from leco.data import collate
from leco.exits.subspace import evidence
from leco.model.backbones import Context, backbone_for
from leco.problems import PROBLEMS
from leco.renamed import warn_of
from leco.runtime import Encoding

if TYPE_CHECKING:
    from leco.model.multi_exit import MultiExitModel


@dataclass
class ActiveRows:
    """The rows still inside: hidden state [B, L, d], attention mask [B, L], what layers need and exits keep."""

    hidden: Tensor
    attention_mask: Tensor
    mask: Tensor | None  # [B, L], true at tokens; None where there is no padding
    context: Context
    memory: Tensor | None = None
    logits: Tensor | None = None  # [B, K], of the exit that was asked last


class ModelStages:
    """A multi-exit model as `leco.runtime.Stages`. Padding that no row needs any more is cut off.

    It neither switches dropout off nor gradients: the caller does, with `model.eval()` and `torch.inference_mode()`.
    """

    def __init__(self, model: MultiExitModel) -> None:
        self.model, self.task, self.exits = model, model.task, model.exits.folded()
        self.subspace = cache(self.exits.subspace)
        self.numbers = {layer: number for number, layer in enumerate(self.task.exit_layers, start=1)}
        self.family = backbone_for(model.config.backbone_config)

    def start(self, encodings: Sequence[Encoding]) -> ActiveRows:
        """Pad and embed the texts."""
        inputs = {name: value.to(self.model.device) for name, value in collate(self.model.tokenizer, encodings).items()}
        embedded = self.family.embed(self.model.backbone, inputs)
        return self._after(0, self._active(embedded, inputs["attention_mask"]), embedded)

    def advance(self, layer: int, batch: ActiveRows) -> ActiveRows:
        """Run one layer, which the exits may remember."""
        hidden = self.family.layer(self.model.backbone, layer - 1, batch.hidden, batch.context)
        return self._after(layer, batch, hidden)

    def shares(self, first: int, second: int) -> bool:
        """Whether two layers have the same weights, as ALBERT's have."""
        backbone = self.model.backbone
        return self.family.block(backbone, first - 1) is self.family.block(backbone, second - 1)

    def advance_together(self, layers: Sequence[int], batches: Sequence[ActiveRows]) -> list[ActiveRows]:
        """Run, for each batch, its layer; all of them share their weights."""
        together = self._joined(batches)
        hidden = self.family.layer(self.model.backbone, layers[0] - 1, together.hidden, together.context)
        parts = hidden.split([len(batch.hidden) for batch in batches])
        return [
            self._after(layer, batch, part[:, : batch.hidden.shape[1]])
            for layer, batch, part in zip(layers, batches, parts, strict=True)
        ]

    def _after(self, layer: int, batch: ActiveRows, hidden: Tensor) -> ActiveRows:
        """The batch after a layer, which the exits may remember."""
        batch.hidden = hidden
        if layer in self.numbers:
            batch.memory = self.exits.remember(self.numbers[layer], hidden, batch.memory)
        return batch

    def scores(self, layer: int, batch: ActiveRows) -> NDArray[Any]:
        """The probabilities (or values) [B, K] of the exit on `layer`."""
        batch.logits = self.exits.logits(self.numbers[layer], batch.hidden, batch.mask, batch.memory).float()
        return self.task.problem.torch_scores(batch.logits).cpu().numpy()

    def observe(self, what: str, layer: int, batch: ActiveRows) -> NDArray[Any]:
        """The meta-classifier's doubts [B] about the exit on `layer`, or its evidence [B, 2]."""
        if what == DOUBTS:
            return self.model.doubts(batch.hidden[:, :1], [layer])[:, 0].float().cpu().numpy()
        assert batch.logits is not None
        number = self.numbers[layer]
        features = self.exits.features(number, batch.hidden, batch.mask)
        return evidence(batch.logits, features, self.subspace(number)).cpu().numpy()

    def keep(self, batch: ActiveRows, rows: NDArray[Any]) -> ActiveRows:
        """Only the given rows (indices [b]), and only as many tokens as the longest of them has."""
        index = torch.from_numpy(rows).to(batch.hidden.device)
        attention_mask = batch.attention_mask[index]
        longest = int(attention_mask.sum(1).max())
        memory = None if batch.memory is None else batch.memory[index]
        return self._active(batch.hidden[index, :longest], attention_mask[:, :longest], memory)

    def merge(self, batches: Sequence[ActiveRows]) -> ActiveRows:
        """The rows of all batches, in order, padded to the longest of them."""
        kept = [batch.memory for batch in batches if batch.memory is not None]
        return self._joined(batches, torch.cat(kept) if kept else None)

    def _joined(self, batches: Sequence[ActiveRows], memory: Tensor | None = None) -> ActiveRows:
        """The rows of all batches with a memory of all of them."""
        longest = max(batch.hidden.shape[1] for batch in batches)
        hidden, attention_mask = (
            torch.cat([_padded(getattr(batch, name), longest) for batch in batches])
            for name in ("hidden", "attention_mask")
        )
        return self._active(hidden, attention_mask, memory)

    def _active(self, hidden: Tensor, attention_mask: Tensor, memory: Tensor | None = None) -> ActiveRows:
        mask = None if len(hidden) == 1 or bool(attention_mask.all()) else attention_mask.bool()
        context = self.family.context(self.model.backbone, hidden, attention_mask)
        return ActiveRows(hidden, attention_mask, mask, context, memory)


def _padded(values: Tensor, length: int) -> Tensor:
    """Values [B, L, ..] with zeros behind them, up to a length."""
    missing = values.new_zeros((len(values), length - values.shape[1], *values.shape[2:]))
    return torch.cat([values, missing], dim=1)


def scores_of(logits: Tensor, problem_type: str) -> Tensor:
    """The former name of `leco.problems.PROBLEMS[problem_type].torch_scores(logits)`."""
    warn_of("leco.model.scores_of", "leco.problems.PROBLEMS[...].torch_scores")
    return PROBLEMS[problem_type].torch_scores(logits)
