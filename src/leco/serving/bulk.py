"""JSON Lines in, JSON Lines out, while they come."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from leco.errors import LecoError
from leco.files import format_json, parse_json
from leco.serving.options import ServingOptions
from leco.serving.schemas import PredictRequest
from leco.serving.service import Service, Timing
from leco.serving.waiting import OverloadedError
from leco.tokens import Text

PIECE = 64
"""Lines that are answered together."""


async def answered_lines(
    service: Service, chunks: AsyncIterator[bytes], timing: Timing, options: ServingOptions
) -> AsyncIterator[bytes]:
    """A line for each line, in order: the answer, or what was wrong with it. It waits where the service is busy."""
    piece: list[tuple[dict[str, Any], Text | LecoError]] = []
    async for line in split_lines(chunks, options.max_body, options.timeout):
        piece.append(read_line(line))
        if len(piece) == PIECE:
            yield await _answered(service, piece, timing)
            piece = []
    if piece:
        yield await _answered(service, piece, timing)


async def split_lines(chunks: AsyncIterator[bytes], most: int, patience: float) -> AsyncIterator[bytes | LecoError]:
    """The lines of a stream that are not blank.

    An error ends it, in place of a line with more bytes than `most`, or where nothing comes for `patience` seconds.
    """
    rest = b""
    while True:
        try:
            chunk = await asyncio.wait_for(anext(chunks), patience)
        except StopAsyncIteration:
            break
        except asyncio.TimeoutError:
            yield LecoError(f"Nothing came for {patience:g} seconds. What comes now is not answered.")
            return
        *lines, rest = (rest + chunk).split(b"\n")
        long = next((place for place, line in enumerate([*lines, rest]) if len(line) > most), None)
        for line in lines[:long]:
            if line.strip():
                yield line
        if long is not None:
            yield LecoError(f"A line has more than {most:,} bytes. It and all behind it are not answered.")
            return
    if rest.strip():
        yield rest


def read_line(line: bytes | LecoError) -> tuple[dict[str, Any], Text | LecoError]:
    """The id of a line, if it has one, and its text; or what is wrong with it."""
    if isinstance(line, LecoError):
        return {}, line
    try:
        value = parse_json(line, "The line")
    except LecoError as error:
        return {}, error
    known = {"id": value["id"]} if isinstance(value, dict) and "id" in value else {}
    given = value
    if isinstance(value, dict):
        given = value.get("text")
        if "text_pair" in value:
            given = [given, value["text_pair"]]
    if isinstance(given, str):
        return known, given
    if isinstance(given, list) and len(given) == 2 and all(isinstance(one, str) for one in given):
        return known, (given[0], given[1])
    return known, LecoError('The line has no text: write {"text": "..."}, a text, or a list of two.')


async def _answered(service: Service, piece: list[tuple[dict[str, Any], Text | LecoError]], timing: Timing) -> bytes:
    texts = [text for _, text in piece if not isinstance(text, LecoError)]
    answers: list[dict[str, Any]] = []
    if texts:
        try:
            found = await _patiently(service, PredictRequest(texts=texts), timing)
            answers = [one.model_dump(exclude={"layers", "criteria", "scores"}) for one in found]
        except LecoError as error:
            answers = (
                [await _alone(service, text, timing) for text in texts] if len(texts) > 1 else [{"error": str(error)}]
            )
    left = iter(answers)
    lines = [
        {**known, **({"error": str(text)} if isinstance(text, LecoError) else next(left))} for known, text in piece
    ]
    return "".join(format_json(line) + "\n" for line in lines).encode()


async def _alone(service: Service, text: Text, timing: Timing) -> dict[str, Any]:
    """The answer to one text of several of which some have none."""
    try:
        (found,) = await _patiently(service, PredictRequest(texts=[text]), timing)
        return found.model_dump(exclude={"layers", "criteria", "scores"})
    except LecoError as error:
        return {"error": str(error)}


async def _patiently(service: Service, request: PredictRequest, timing: Timing) -> list[Any]:
    while True:
        try:
            return (await service.predict(request, timing)).answers
        except OverloadedError as error:
            await asyncio.sleep(min(error.retry_after, 1.0))
