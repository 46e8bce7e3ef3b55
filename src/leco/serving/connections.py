"""Connections whose requests must begin in time, and which a parent keeps until their requests are answered."""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from leco.serving.keeper import Handing

COMING = 0.1
"""Seconds that a connection has for its first request when the service begins to shut down."""


class PunctualProtocol(H11Protocol):
    """HTTP in which the head of a request has `patience` seconds to come; the connection is closed if it does not.

    uvicorn itself waits for it as long as now and then a byte comes, so that few clients could hold all connections.
    Where there is a `parent`, it keeps the connection from the request's head until the answer begins.
    """

    patience = 30.0
    parent: Handing | None = None
    _late: TimerHandle | None = None
    _take_back: Callable[[], None] | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        if self.parent is not None:
            self.transport = Telling(transport, self._answering)  # type: ignore[assignment]
        self._look()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_clock()
        self._answering()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close once what has begun is answered; a request that was sent before may be on its way still."""
        waits = 0.0 if self.cycle else COMING
        self.loop.call_later(waits, self._close)

    def _close(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    def _look(self) -> None:
        """The clock runs while a head is awaited: from the connection's begin, or the first byte of a further head."""
        if self.conn.their_state is h11.IDLE:
            if self._late is None:
                self._late = self.loop.call_later(self.patience, self._give_up)
            return
        self._stop_clock()
        if self.parent is not None and self._take_back is None and self.conn.our_state is h11.SEND_RESPONSE:
            self._take_back = self.parent.hand_over(self.transport.get_extra_info("socket"))

    def _stop_clock(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _answering(self) -> None:
        """The connection is the worker's own again."""
        if self._take_back is not None:
            self._take_back()
            self._take_back = None


class Telling:
    """A transport that tells before it writes."""

    def __init__(self, transport: Transport, before: Callable[[], None]) -> None:
        self._transport, self._before = transport, before

    def write(self, data: bytes) -> None:
        """Tell, and write."""
        self._before()
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
