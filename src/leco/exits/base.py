"""What the exits of a model are: classifiers on layers of its backbone, and what they tell each other."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import ClassVar, cast

from torch import Tensor, nn

from leco.exits.operations import in_float32
from leco.exits.standardize import Standardize, StateStatistics
from leco.exits.subspace import Subspace


class Exit(nn.Module):
    """An intermediate classifier on one layer of the backbone.

    While it is trained it may read standardized states, by a `Standardize` in the place of `standardize`; what is saved
    and exported has none (`Exits.folded`).
    """

    reads_first_token: ClassVar[bool] = False
    """Whether it reads the [CLS] state alone, so that the statistics of that are its own."""

    def __init__(self) -> None:
        super().__init__()
        self.standardize: nn.Module = nn.Identity()

    classifier: nn.Linear
    """Its last linear layer."""
    dropout: nn.Dropout

    @property
    def reader(self) -> nn.Linear:
        """Its first linear layer, which reads what `standardize` gives."""
        raise NotImplementedError

    def features(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the classifier reads, [B, e], of `hidden` [B, L, d]; `mask` as in `forward`."""
        raise NotImplementedError

    def forward(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits [B, K] of `hidden` [B, L, d]; `mask` [B, L] is true at tokens, None where there is no padding."""
        with in_float32(hidden):
            logits: Tensor = self.classifier(self.dropout(self.features(hidden, mask)))
        return logits


class Exits(nn.ModuleList):
    """The exits of a model, that on the lowest layer first; they are counted from 1, whichever layers they are on.

    Here each exit looks at its own layer alone. Exits that look at what came before say in `remember` what they keep
    of it: a memory [B, ..], whose rows leave the batch with the texts'.
    """

    def remember(self, number: int, hidden: Tensor, memory: Tensor | None) -> Tensor | None:
        """The memory after exit `number`, whose layer's state is `hidden` [B, L, d], from that after the one before."""
        return None

    def logits(self, number: int, hidden: Tensor, mask: Tensor | None, memory: Tensor | None) -> Tensor:
        """The logits [B, K] of exit `number`, given the memory after it; the rest as in `Exit.forward`."""
        logits: Tensor = self[number - 1](hidden, mask)
        return logits

    def features(self, number: int, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """What the last linear layer of exit `number` reads, [B, e]; the rest as in `Exit.forward`."""
        with in_float32(hidden):
            return cast(Exit, self[number - 1]).features(hidden, mask)

    def subspace(self, number: int) -> Subspace:
        """What that linear layer sees of them."""
        classifier = cast(Exit, self[number - 1]).classifier
        return Subspace.of(classifier.weight, classifier.bias)

    def kept(self, places: Sequence[int]) -> "Exits":
        """Those at these places, from 0, alone: the same modules."""
        return Exits(self[place] for place in places)

    def standardize(self, states: StateStatistics) -> None:
        """Let each exit read standardized states, by the statistics of what it reads of its layer."""
        for place, exit_ in enumerate(self._exits()):
            statistics = states.first_tokens if exit_.reads_first_token else states.tokens
            exit_.standardize = Standardize(statistics.mean[place].clone(), statistics.std[place].clone())

    def unfold(self, states: StateStatistics) -> None:
        """Let exits that read the states as they are, trained ones, read standardized ones, with the same logits."""
        self.standardize(states)
        for exit_ in self._exits():
            cast(Standardize, exit_.standardize).unfold_from(exit_.reader)

    def folded(self) -> "Exits":
        """These exits where they read the states as they are, or copies that do and whose logits are the same."""
        if not any(isinstance(exit_.standardize, Standardize) for exit_ in self._exits()):
            return self
        copies = deepcopy(self)
        for exit_ in copies._exits():
            if isinstance(exit_.standardize, Standardize):
                exit_.standardize.fold_into(exit_.reader)
                exit_.standardize = nn.Identity()
        return copies

    def _exits(self) -> Iterator[Exit]:
        return iter(cast(list[Exit], list(self)))
