"""Texts that wait to be answered, in the order in which they came."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Criterion
from leco.errors import LecoError
from leco.tokens import Encoding

Told = Callable[[Encoding, NDArray[Any], Criterion], None]
LATELY = 10.0
"""Seconds over which the rate is measured."""
SOON, LATEST = 1.0, 60.0
"""The seconds after which to try again where no rate is known yet, and the most that are asked for: what was taken
while little came says less of what can be."""


class OverloadedError(LecoError):
    """More waits than is allowed; in `retry_after` seconds it will have been answered."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("The service has too much to do. Try again later.")
        self.retry_after = retry_after


class DrainingError(LecoError):
    """Nothing is taken any more."""

    def __init__(self) -> None:
        super().__init__("The service is shutting down.")


@dataclass(frozen=True)
class Decided:
    """How a text was answered: its scores [K], the layer at which it left, and the seconds it waited and ran."""

    scores: NDArray[Any]
    exit_layer: int
    waited: float
    ran: float


def ignore(encoding: Encoding, scores: NDArray[Any], criterion: Criterion) -> None:
    """What is done with an answer that nobody asked for."""


@dataclass
class Ticket:
    """A text that waits or runs (`leco.runtime.Row`); `future` gets its `Decided`. Who cancels that takes the text out.

    `told` is told of each answer that was given.
    """

    encoding: Encoding
    criterion: Criterion
    told: Told = ignore
    future: "Future[Decided]" = field(default_factory=Future)
    came: float = field(default_factory=time.perf_counter)
    began: float = 0.0

    @property
    def tokens(self) -> int:
        """The number of tokens."""
        return len(self.encoding["input_ids"])

    def wanted(self) -> bool:
        """Whether the future was not cancelled."""
        return not self.future.cancelled()

    def answer(self, scores: NDArray[Any], exit_layer: int) -> None:
        """Give the future its result, unless it was cancelled."""
        ran = time.perf_counter() - self.began
        decided = Decided(np.array(scores), int(exit_layer), self.began - self.came, ran)
        try:
            self.future.set_result(decided)
        except InvalidStateError:
            return
        self.told(self.encoding, decided.scores, self.criterion)

    def fail(self, error: Exception) -> None:
        """Give the future an error, unless it was cancelled or has its result."""
        try:
            self.future.set_exception(error)
        except InvalidStateError:
            return


class WaitingRoom:
    """A queue of texts that has an end in both senses: a most that may wait, and a time from which none comes in.

    Args:
        most: the tokens that may wait. One request is let in whatever it has, if nothing else waits.
        batch: the tokens of a batch, padding counted; one longer text is a batch alone.
        patience: the seconds for which a batch waits for more texts.

    """

    def __init__(self, most: int, batch: int, patience: float = 0.0) -> None:
        self.most, self.batch, self.patience = most, batch, patience
        self.tokens = 0
        self.closed = False
        self._tickets: deque[Ticket] = deque()
        self._taken: deque[tuple[float, int]] = deque(maxlen=1_000)
        self._changed = Condition()

    def __len__(self) -> int:
        return len(self._tickets)

    def enter(self, tickets: Sequence[Ticket]) -> None:
        """Let all in, or none: raises `OverloadedError` or `DrainingError`."""
        tokens = sum(ticket.tokens for ticket in tickets)
        with self._changed:
            if self.closed:
                raise DrainingError
            if self._tickets and self.tokens + tokens > self.most:
                rate = self.rate()
                raise OverloadedError(SOON if rate is None else min(self.tokens / rate, LATEST))
            self._tickets.extend(tickets)
            self.tokens += tokens
            self._changed.notify()

    def close(self) -> None:
        """Let nobody in any more; who waits is still taken."""
        with self._changed:
            self.closed = True
            self._changed.notify()

    def take(self, *, wait: bool) -> list[Ticket]:
        """The first texts, as many as fit into a batch; those that nobody wants are passed over.

        With `wait`, none only once the room is closed and empty; else none where nobody waits now.
        """
        with self._changed:
            while True:
                if wait:
                    self._changed.wait_for(lambda: self._tickets or self.closed)
                    if self.patience and not self.closed:
                        self._changed.wait_for(lambda: self.tokens >= self.batch or self.closed, self.patience)
                taken = self._take()
                if taken or not wait or (self.closed and not self._tickets):
                    return taken

    def rate(self) -> float | None:
        """The tokens taken in a second, lately, or when any were last taken; None where none ever were."""
        if not self._taken:
            return None
        last, _ = self._taken[-1]
        now = min(time.perf_counter(), last + LATELY)
        lately = [(when, tokens) for when, tokens in self._taken if when >= min(now - LATELY, last)]
        return sum(tokens for _, tokens in lately) / max(now - lately[0][0], 0.1)

    def _take(self) -> list[Ticket]:
        taken: list[Ticket] = []
        longest = tokens = 0
        while self._tickets:
            first = self._tickets[0]
            if first.wanted():
                longest = max(longest, first.tokens)
                if taken and longest * (len(taken) + 1) > self.batch:
                    break
                first.began = time.perf_counter()
                taken.append(first)
                tokens += first.tokens
            self._tickets.popleft()
            self.tokens -= first.tokens
        if taken:
            self._taken.append((time.perf_counter(), tokens))
        return taken
