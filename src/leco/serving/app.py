"""The routes of the service."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, MutableMapping
from contextlib import asynccontextmanager, suppress
from math import ceil
from typing import Any, TypeVar

from fastapi import Depends, FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect

from leco import __version__
from leco.errors import LecoError
from leco.files import format_json, parse_json
from leco.serving.bulk import answered_lines
from leco.serving.gate import Gate, Receive, Scope, Send, TooLargeError, problem
from leco.serving.memory import memory_given_back
from leco.serving.options import ServingOptions
from leco.serving.playground import playground
from leco.serving.schemas import Info, PredictAnswer, Prediction, PredictRequest, Problem
from leco.serving.service import Service, Timing, TooManyError
from leco.serving.waiting import DrainingError, OverloadedError

T = TypeVar("T")
TIMEOUT, DIGITS = "x-timeout-ms", 9


class UnauthorizedError(Exception):
    """A request without the token."""


class NotJsonError(LecoError):
    """A body that is no JSON."""


class InvalidError(LecoError):
    """What is no request, whatever is served."""


class GoneError(Exception):
    """The client went away."""


class BothWays(StreamingResponse):
    """A stream that is made of the request's own: it alone reads that.

    It ends where the client goes away, or takes nothing for `patience` seconds.
    """

    media_type = "application/x-ndjson"
    patience = 30.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes."""

        async def patiently(message: MutableMapping[str, Any]) -> None:
            await asyncio.wait_for(send(message), self.patience)

        with suppress(ClientDisconnect, asyncio.TimeoutError):
            await self.stream_response(patiently)


class PrometheusText(Response):
    """Metrics in Prometheus' format."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"


CLOSED = {"Connection": "close"}
"""The header of an answer to a body that may not have been read to its end."""


def create_app(service: Service, options: ServingOptions, key: str | None = None) -> FastAPI:
    """The application: the routes of a service, which drains when it ends. With a `key`, requests must bear it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with memory_given_back():
            yield
        await service.drain()

    async def bears(request: Request) -> None:
        given = request.headers.get("authorization", "").encode("latin-1")  # the bytes that were sent
        if key is not None and not hmac.compare_digest(given, f"Bearer {key}".encode()):
            raise UnauthorizedError

    public = [Depends(bears)] if options.private else []
    guarded = [Depends(bears)]
    app = FastAPI(
        title="LECO",
        version=__version__,
        description=__doc__,
        lifespan=lifespan,
        docs_url=None,  # these are below, guarded
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = service
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem} for status in (400, 401, 409, 413, 422, 429, 503, 504)
    }
    body = {"content": {"application/json": {"schema": PredictRequest.model_json_schema()}}, "required": True}

    @app.post(
        "/predict",
        dependencies=guarded,
        response_model=PredictAnswer | list[Prediction] | list[list[Prediction]],
        responses=problems,
        openapi_extra={"requestBody": body},
    )
    async def predict(request: Request) -> Any:
        """Answer a text, a pair, or a list of these, each at the layer where the criterion says so."""
        deadline = time.perf_counter() + allowed_seconds(request, options)
        asked = read_request(await until(deadline, request.body()))
        if asked.inputs is not None:
            asked.scores = "all"
        timing: Timing = request.state.timing
        found = await until(deadline, unless_gone(service.predict(asked, timing), request))
        if asked.inputs is None:
            return JSONResponse(found.model_dump())
        listed = [predictions(one.scores or {}) for one in found.answers]
        return JSONResponse(jsonable_encoder(listed[0] if asked.single else listed))

    @app.post("/v1/bulk", dependencies=guarded, response_class=BothWays, responses=problems)
    async def bulk(request: Request) -> StreamingResponse:
        """Answer JSON Lines by JSON Lines, in order, while they come: {"text": ...}, a text, or a list of two."""
        lines = answered_lines(service, request.stream(), request.state.timing, options)
        answer = BothWays(lines)
        answer.patience = options.timeout
        return answer

    @app.get("/livez", dependencies=public, responses={503: {"model": Problem}})
    async def livez() -> Any:
        """Whether what is taken is answered; where not, the process is to be started anew."""
        return {"live": True} if service.healthy else problem(503, "The engine has ended.", "unhealthy")

    @app.get("/readyz", dependencies=public, responses={503: {"model": Problem}})
    async def readyz() -> Any:
        """Whether requests are to be sent here: after loading, and until it shuts down."""
        return {"ready": True} if service.ready else problem(503, "The service takes no requests.", "unhealthy")

    @app.get("/info", dependencies=public)
    async def info() -> Info:
        """The model, its criterion and certificate, the limits and the versions."""
        return service.info()

    @app.get("/metrics", dependencies=public, response_class=PrometheusText)
    async def metrics() -> Response:
        """What is counted, for Prometheus."""
        return PrometheusText(service.metrics.text())

    @app.post("/admin/reload", dependencies=guarded, responses=problems)
    async def reload() -> Any:
        """Load the model anew, and let it take over; requests go on meanwhile. It takes a token to be allowed."""
        if key is None:
            raise UnauthorizedError
        await service.reload()
        return {"reloaded": True}

    @app.get("/", dependencies=public, include_in_schema=False)
    async def page() -> Response:
        return playground()

    @app.get("/openapi.json", dependencies=public, include_in_schema=False)
    async def description() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/docs", dependencies=public, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="openapi.json", title=app.title)

    answer_errors(app)
    app.add_middleware(Gate, options=options, metrics=service.metrics)
    if options.cors is not None:
        app.add_middleware(CORSMiddleware, allow_origins=[options.cors], allow_methods=["*"], allow_headers=["*"])
    return app


def read_request(body: bytes) -> PredictRequest:
    """The request in a body; `NotJsonError` or `InvalidError` where it is none."""
    try:
        value = parse_json(body, "The body")
    except LecoError as error:
        raise NotJsonError(str(error)) from error
    try:
        return PredictRequest.model_validate_json(format_json(value), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][:2])
        raise InvalidError(f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}.") from error


def predictions(scores: dict[str, float]) -> list[Prediction]:
    """All labels with their scores, the highest first."""
    named = [Prediction(label=name, score=score) for name, score in scores.items()]
    return sorted(named, key=lambda one: -one.score)


def allowed_seconds(request: Request, options: ServingOptions) -> float:
    """The seconds from its first byte in which a request is answered; LecoError where it asks for none."""
    given = request.headers.get(TIMEOUT)
    if given is None:
        return options.timeout
    if not given.isascii() or not given.isdigit() or int(given[:DIGITS]) < 1 or len(given) > DIGITS:
        raise InvalidError("X-Timeout-Ms must be a whole number of milliseconds.")
    return min(options.timeout, int(given) / 1000)


async def until(deadline: float, work: Awaitable[T]) -> T:
    """What comes of some work; TimeoutError, which cancels it, at `deadline` (of `time.perf_counter`)."""
    return await asyncio.wait_for(work, max(deadline - time.perf_counter(), 0.001))


async def unless_gone(work: Awaitable[T], request: Request) -> T:
    """What comes of some work; `GoneError`, which cancels it, where the client leaves."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        done, _ = await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working in done:
            return working.result()
        raise GoneError
    finally:
        for task in (working, leaving):
            task.cancel()


async def _gone(request: Request) -> None:
    """Return once the client has gone; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def answer_errors(app: FastAPI) -> None:
    """Have each kind of error answered by its status."""

    @app.exception_handler(OverloadedError)
    async def overloaded(request: Request, error: OverloadedError) -> JSONResponse:
        return problem(429, str(error), "overloaded", {"Retry-After": str(max(ceil(error.retry_after), 1))})

    @app.exception_handler(DrainingError)
    async def draining(request: Request, error: DrainingError) -> JSONResponse:
        return problem(503, str(error), "unhealthy", {"Retry-After": "1"})

    @app.exception_handler(asyncio.TimeoutError)
    async def late(request: Request, error: Exception) -> JSONResponse:
        return problem(504, "The texts were not answered in time, and are not any more.", "timeout", CLOSED)

    @app.exception_handler(ClientDisconnect)
    @app.exception_handler(GoneError)
    async def gone(request: Request, error: Exception) -> JSONResponse:
        return problem(499, "The client went away.", "gone")

    @app.exception_handler(TooLargeError)
    async def too_large(request: Request, error: Exception) -> JSONResponse:
        return problem(413, "The body is larger than is allowed.", "validation", CLOSED)

    @app.exception_handler(UnauthorizedError)
    async def unauthorized(request: Request, error: Exception) -> JSONResponse:
        return problem(401, "The token is missing or wrong.", "unauthorized", {"WWW-Authenticate": "Bearer"})

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        return problem(error.status_code, f"{error.detail}. /docs describes what there is.", "validation", headers)

    @app.exception_handler(NotJsonError)
    async def not_json(request: Request, error: LecoError) -> JSONResponse:
        return problem(400, str(error), "validation")

    @app.exception_handler(InvalidError)
    async def invalid(request: Request, error: LecoError) -> JSONResponse:
        return problem(422, str(error), "validation")

    @app.exception_handler(TooManyError)
    async def too_many(request: Request, error: LecoError) -> JSONResponse:
        return problem(413, str(error), "validation")

    @app.exception_handler(LecoError)
    async def refused(request: Request, error: LecoError) -> JSONResponse:
        return problem(409, str(error), "validation")

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "The service failed to answer.", "backend")
