"""What every request passes: an id, the limits, and one line in the log."""

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse

from leco.serving.metrics import Metrics
from leco.serving.options import ServingOptions
from leco.serving.service import Timing

logger = logging.getLogger("leco.serving")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class TooLargeError(Exception):
    """A body has more bytes than are allowed."""


class Gate:
    """ASGI middleware: gives each request an id and a `Timing`, bounds bodies and concurrency, counts and logs it.

    What clients sent is never logged.
    """

    def __init__(
        self, app: Callable[[Scope, Receive, Send], Awaitable[None]], options: ServingOptions, metrics: Metrics
    ) -> None:
        self.app, self.options, self.metrics = app, options, metrics
        self.inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        timing, status = Timing(), 500
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        name = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope["state"] = {**scope.get("state", {}), "timing": timing, "id": name}

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode()), *timing_headers(timing)]
            await send(message)

        counted = scope["path"] in ("/predict", "/v1/bulk")
        self.inside += counted
        try:
            if counted and self.inside > self.options.max_concurrent:
                refusal = problem(429, "There are too many requests at a time.", "overloaded", {"Retry-After": "1"})
                await refusal(scope, receive, sending)
            else:
                await self.app(scope, bounded(receive, self.options.max_body, scope), sending)
        finally:
            self.inside -= counted
            if counted:
                self.metrics.request(status, timing)
            self._log(scope, name, status, timing)

    def _log(self, scope: Scope, name: str, status: int, timing: Timing) -> None:
        about = {
            "id": name,
            "method": scope["method"],
            "path": quote(scope["path"]),  # so that it stays one word
            "status": status,
            "ms": round(1000 * timing.whole, 2),
            "texts": timing.texts,
            "tokens": timing.tokens,
        }
        logger.info(json.dumps(about) if self.options.log_json else " ".join(f"{k}={v}" for k, v in about.items()))


def bounded(receive: Receive, most: int, scope: Scope) -> Receive:
    """A body of which no more than so many bytes are read; `/v1/bulk` streams, and has a bound for each line."""
    read = 0

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most and scope["path"] != "/v1/bulk":
            raise TooLargeError
        return message

    return receiving


def timing_headers(timing: Timing) -> list[tuple[bytes, bytes]]:
    """The times of a request in milliseconds, and its size."""
    values = {
        "x-total-time": 1000 * timing.whole,
        "x-tokenization-time": 1000 * timing.tokenizing,
        "x-queue-time": 1000 * timing.waiting,
        "x-inference-time": 1000 * timing.computing,
    }
    sizes = {"x-compute-characters": timing.characters, "x-compute-tokens": timing.tokens}
    shown = {**{name: f"{value:.3f}" for name, value in values.items()}, **{k: str(v) for k, v in sizes.items()}}
    return [(name.encode(), value.encode()) for name, value in shown.items()]


def problem(status: int, error: str, error_type: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer to a request that has none."""
    return JSONResponse({"error": error, "error_type": error_type}, status, headers)
