"""The early-exiting loop for requests that come at any time: rows enter at layer 1 and are answered when they leave.

Rows of one depth run together, whatever their criteria; groups of rows that come to one depth can be merged. Nothing
here knows of PyTorch. Shapes: B rows of a group, K outputs, M layers, counted from 1; layer 0 is the embeddings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Criterion, State, select
from leco.registry import Registry
from leco.runtime.engine import Stages
from leco.tokens import Encoding

Array = NDArray[Any]
Batch = TypeVar("Batch")


class Row(Protocol):
    """A tokenized text that is to be answered."""

    @property
    def encoding(self) -> Encoding:
        """Its tokens."""

    @property
    def criterion(self) -> Criterion:
        """When it leaves."""

    def wanted(self) -> bool:
        """Whether anybody still waits for the answer; rows of which nobody does leave without one."""

    def answer(self, scores: Array, exit_layer: int) -> None:
        """Take the scores [K] and the layer at which it left."""


@runtime_checkable
class MergingStages(Stages[Batch], Protocol[Batch]):
    """Stages whose batches of one depth can be made one."""

    def merge(self, batches: Sequence[Batch]) -> Batch:
        """The rows of all batches, in order."""


@runtime_checkable
class SharingStages(Stages[Batch], Protocol[Batch]):
    """Stages of which some layers are one, as ALBERT's are: rows of several depths can run it together."""

    def shares(self, first: int, second: int) -> bool:
        """Whether two layers have the same weights."""

    def advance_together(self, layers: Sequence[int], batches: Sequence[Batch]) -> list[Batch]:
        """Run, for each batch, its layer; all of them share their weights."""


@dataclass
class Group(Generic[Batch]):
    """Rows that have run the same layers: `depth` of them."""

    rows: list[Row]
    batch: Batch
    states: dict[Criterion, tuple[Array, State]]
    """For each criterion which rows it decides on (indices), and its state of these."""
    depth: int = 0

    @property
    def tokens(self) -> int:
        """What a layer costs: rows times the longest of them."""
        return size([row.encoding for row in self.rows])


def size(encodings: Sequence[Encoding]) -> int:
    """The tokens of a batch, padding counted."""
    return len(encodings) * max((len(one["input_ids"]) for one in encodings), default=0)


Admits = Callable[[int, int], bool]


@dataclass(frozen=True)
class Policy:
    """When waiting rows enter, and which group runs next.

    Attributes:
        name: as settings have it.
        admits: whether rows may enter, by the tokens inside and the most that a batch has.
        deepest: whether the deepest group runs first, else the shallowest, which catches up with those before it.

    """

    name: str
    admits: Admits
    deepest: bool


POLICIES: Registry[Policy] = Registry(
    "policy",
    {
        policy.name: policy
        for policy in (
            Policy("whole", lambda inside, most: inside == 0, deepest=True),
            Policy("refill", lambda inside, most: inside <= most // 2, deepest=False),
            Policy("queues", lambda inside, most: True, deepest=True),
        )
    },
)
"""`whole`: a batch runs to its end. `refill`: where half of it has left, waiting rows run up to it and join it.
`queues`: all that waits enters at once; groups of different depth run in turn, and merge where they meet."""


@dataclass
class Flow(Generic[Batch]):
    """Rows inside a model.

    Args:
        stages: the model, cut layer by layer.
        policy: when rows enter, and which of them run.
        max_tokens: the most tokens of a batch, padding counted; one longer row runs alone.
        groups: the rows inside, by how deep they are; none at first.

    """

    stages: Stages[Batch]
    policy: Policy = POLICIES["whole"]
    max_tokens: int = 16_384
    groups: list[Group[Batch]] = field(default_factory=list)

    @property
    def inside(self) -> int:
        """The tokens of all groups."""
        return sum(group.tokens for group in self.groups)

    @property
    def room(self) -> bool:
        """Whether rows may enter now."""
        return self.policy.admits(self.inside, self.max_tokens)

    def enter(self, rows: Sequence[Row]) -> None:
        """Embed rows, which are no more than fit into a batch, and answer those that leave there."""
        states: dict[Criterion, tuple[Array, State]] = {}
        for criterion in dict.fromkeys(row.criterion for row in rows):
            places = np.flatnonzero([row.criterion == criterion for row in rows])
            states[criterion] = places, criterion.start(len(places), self.stages.task)
        group = Group(list(rows), self.stages.start([row.encoding for row in rows]), states)
        self._leave(group)
        if group.rows:
            self.groups.append(group)

    def step(self) -> int:
        """Run a layer, and answer the rows that leave after it; gives the number of rows that ran.

        One group runs it, and all those whose next layer has the same weights, as far as they fit into a batch.
        """
        choose = max if self.policy.deepest else min
        groups = [choose(self.groups, key=lambda one: one.depth)]
        groups += self._sharing(groups[0])
        for group in groups:
            self._drop(group, np.array([row.wanted() for row in group.rows]))
        running = [group for group in groups if group.rows]
        ran = sum(len(group.rows) for group in running)
        self._advance(running)
        for group in running:
            self._leave(group)
        self.groups = [group for group in self.groups if group.rows]
        for group in running:
            if group.rows:
                self._meet(group)
        return ran

    def _sharing(self, group: Group[Batch]) -> list[Group[Batch]]:
        """The other groups whose next layer is that of `group`, in order of depth, as many as fit into its batch."""
        if not isinstance(self.stages, SharingStages):
            return []
        found: list[Group[Batch]] = []
        rows = list(group.rows)
        for other in sorted(self.groups, key=lambda one: -one.depth):
            if other is not group and self.stages.shares(group.depth + 1, other.depth + 1):
                both = [*rows, *other.rows]
                if size([row.encoding for row in both]) <= self.max_tokens:
                    rows = both
                    found.append(other)
        return found

    def _advance(self, groups: Sequence[Group[Batch]]) -> None:
        """Run the next layer of groups, all of which share it where there are several."""
        for group in groups:
            group.depth += 1
        if len(groups) > 1 and isinstance(self.stages, SharingStages):
            layers, batches = [group.depth for group in groups], [group.batch for group in groups]
            for group, batch in zip(groups, self.stages.advance_together(layers, batches), strict=True):
                group.batch = batch
        else:
            for group in groups:
                group.batch = self.stages.advance(group.depth, group.batch)

    def _leave(self, group: Group[Batch]) -> None:
        """Answer the rows of a group that leave at its depth."""
        task, layer = self.stages.task, group.depth
        last = layer == task.num_layers
        asked = [criterion for criterion in group.states if last or criterion.uses(layer)]
        if not asked or layer not in task.exit_layers:
            return
        scores = self.stages.scores(layer, group.batch)
        leaves = np.full(len(group.rows), last)
        seen: dict[str | None, Array] = {None: scores}
        for criterion in [] if last else asked:
            what = criterion.observes
            if what is not None and what not in seen:
                seen[what] = self.stages.observe(what, layer, group.batch)
            places, state = group.states[criterion]
            leaving, state = criterion.step(layer, seen[what][places], state)
            leaves[places], group.states[criterion] = leaving, (places, state)
        for place in np.flatnonzero(leaves):
            group.rows[place].answer(scores[place], layer)
        self._drop(group, ~leaves)

    def _drop(self, group: Group[Batch], stay: Array) -> None:
        """Keep only some rows of a group (bool [B])."""
        if stay.all():
            return
        kept = np.flatnonzero(stay)
        group.rows = [group.rows[place] for place in kept]
        if not group.rows:
            return
        group.batch = self.stages.keep(group.batch, kept)
        new, states = np.cumsum(stay) - 1, group.states.items()  # where each kept row is now
        group.states = {
            criterion: (new[places[stay[places]]], select(state, stay[places]))
            for criterion, (places, state) in states
            if stay[places].any()
        }

    def _meet(self, group: Group[Batch]) -> None:
        """Merge a group with another one of its depth, where both fit into a batch."""
        if not isinstance(self.stages, MergingStages):
            return
        for other in self.groups:
            both = [*other.rows, *group.rows]
            if (
                other is not group
                and other.depth == group.depth
                and size([r.encoding for r in both]) <= self.max_tokens
            ):
                other.batch = self.stages.merge([other.batch, group.batch])
                other.states = merged(other, group)
                other.rows = both
                self.groups.remove(group)
                return


def merged(first: Group[Batch], second: Group[Batch]) -> dict[Criterion, tuple[Array, State]]:
    """The states of the rows of two groups, those of the second behind those of the first."""
    states = dict(first.states)
    for criterion, (places, state) in second.states.items():
        moved = places + len(first.rows)
        if criterion in states:
            before, known = states[criterion]
            joined = {name: np.concatenate([known[name], state[name]]) for name in known}
            states[criterion] = np.concatenate([before, moved]), joined
        else:
            states[criterion] = moved, state
    return states
