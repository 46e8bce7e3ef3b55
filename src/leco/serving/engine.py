"""The engine of a service: a thread that runs what waits in batches, of which rows leave when they are answered."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leco.criteria import Criterion
from leco.runtime import POLICIES, Flow, Predictor, RunsByLayer, Watched, unwatched
from leco.serving.options import ServingOptions
from leco.serving.waiting import Decided, DrainingError, Ticket, WaitingRoom
from leco.tokens import Encoding

UNCHECKED = 64
"""Answers that wait for the monitor before it runs although texts wait."""

OnBatch = Callable[[int, int], None]


class Engine:
    """Answers tokenized texts in a thread of its own, in batches, in the order in which they came.

    A predictor that runs layer by layer (`RunsByLayer`) answers each text when it leaves, and waiting ones enter by the
    policy; others, such as an exported file, run each batch to its end. Answers are those of texts alone, but for
    rounding.

    Args:
        predictor: what answers; `Watched`, it is checked while nothing else waits, and may fail at that. No other
            thread may use it, but for `encode`.
        options: batches, waiting, and the most that may wait.
        on_batch: told the rows and the tokens of each batch that begins.

    """

    def __init__(self, predictor: Predictor, options: ServingOptions, on_batch: OnBatch = lambda *_: None) -> None:
        self.predictor, self.options, self.on_batch = predictor, options, on_batch
        self.room = WaitingRoom(options.max_queue_tokens, options.max_batch_tokens, options.max_wait)
        self._watched = predictor if isinstance(predictor, Watched) else None
        self._inner, self._task = unwatched(predictor), predictor.task
        self._unchecked = 0
        self._taken: list[Ticket] = []  # and perhaps not answered yet
        self._thread = Thread(target=self._run, name="leco-engine", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def submit(self, encodings: Sequence[Encoding], criterion: Criterion | None = None) -> "list[Future[Decided]]":
        """The answers-to-be of texts, all of which are taken or none. Cancel one to take its text out.

        Raises `OverloadedError` where too much waits, `DrainingError` after `drain`, and LecoError for a criterion that
        does not fit.
        """
        fell_back = self._watched is not None and self._watched.fell_back
        chosen = self.predictor.full_depth if fell_back else criterion or self.predictor.criterion
        chosen.check(self._task)
        tickets = [Ticket(one, chosen, self._note) for one in encodings]
        self.room.enter(tickets)
        return [ticket.future for ticket in tickets]

    def drain(self) -> None:
        """Take nothing more, answer what was taken, and end."""
        self.room.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            if isinstance(self._inner, RunsByLayer):
                self._run_by_layer(self._inner)
            else:
                while tickets := self._take(wait=True):
                    self._run_whole(tickets)
            self._check()
        except Exception:
            logging.getLogger("leco.serving").exception("The engine has ended.")
        finally:  # nobody waits for an engine that has ended
            self.room.close()
            while tickets := [*self._taken, *self.room.take(wait=False)]:
                self._taken = []
                for ticket in tickets:
                    ticket.fail(DrainingError())

    def _run_by_layer(self, predictor: RunsByLayer) -> None:
        with predictor.running() as stages:
            flow: Flow[Any] = Flow(stages, POLICIES[self.options.policy], self.options.max_batch_tokens)
            while True:
                if flow.room and (tickets := self._take(wait=not flow.groups)):
                    _attempt(tickets, lambda tickets=tickets: flow.enter(tickets))  # type: ignore[misc]
                if not flow.groups:
                    if self.room.closed and not len(self.room):
                        return
                    continue
                inside = [row for group in flow.groups for row in group.rows if isinstance(row, Ticket)]
                if not _attempt(inside, flow.step):
                    flow.groups.clear()

    def _run_whole(self, tickets: Sequence[Ticket]) -> None:
        """Run a batch to its end, those of each criterion together."""
        for criterion in dict.fromkeys(ticket.criterion for ticket in tickets):
            some = [ticket for ticket in tickets if ticket.criterion == criterion]

            def run(some: list[Ticket] = some, criterion: Criterion = criterion) -> None:
                decided = self._inner.decide([one.encoding for one in some], criterion, batch_size=len(some))
                for ticket, scores, layer in zip(some, decided.scores, decided.exit_layers, strict=True):
                    ticket.answer(scores, int(layer))

            _attempt(some, run)

    def _take(self, *, wait: bool) -> list[Ticket]:
        """The next batch; the monitor runs where nothing waits, or too much waits for it."""
        if self._unchecked and (not len(self.room) or self._unchecked >= UNCHECKED):
            self._check()
        tickets = self.room.take(wait=wait)
        self._taken = [*(ticket for ticket in self._taken if not ticket.future.done()), *tickets]
        if tickets:
            self.on_batch(len(tickets), sum(ticket.tokens for ticket in tickets))
        return tickets

    def _note(self, encoding: Encoding, scores: NDArray[Any], criterion: Criterion) -> None:
        """Have an answer watched that was given."""
        if self._watched is not None and criterion == self._watched.criterion:
            self._unchecked += self._watched.note([encoding], np.asarray(scores)[None])

    def _check(self) -> None:
        self._unchecked = 0
        if self._watched is not None:
            self._watched.try_to_check()


def _attempt(tickets: Sequence[Ticket], action: Callable[[], object]) -> bool:
    """Do something for some texts, which get the error where it fails; whether it did not. The engine goes on."""
    try:
        action()
    except Exception as error:
        for ticket in tickets:
            ticket.fail(error)
        return False
    return True
