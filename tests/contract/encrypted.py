"""What is served over TLS and HTTP/2 in tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from plectrum import API, EventStream, Request, Response, Stream, WebSocket

api = API()
cancelled: list[str] = []


@api.get("/seen")
async def seen(request: Request) -> dict[str, Any]:
    return {"scheme": request.scheme, "host": request.header("host")}


@api.get("/large")
async def large(size: int) -> str:
    return "x" * size


@api.get("/sleep")
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@api.get("/hang")
async def hang() -> str:
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        cancelled.append("hang")
        raise
    return "never"


@api.get("/cancelled")
async def told() -> list[str]:
    return cancelled


@api.post("/echo")
async def echo(request: Request) -> Response:
    return Response(str(len(request.body)), media_type="text/plain")


@api.get("/events")
async def events() -> EventStream:
    async def some() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0.01)
            yield number

    return EventStream(some())


@api.get("/silent")
async def silent() -> EventStream:
    async def none() -> AsyncIterator[int]:
        yield 0
        await asyncio.sleep(3600)

    return EventStream(none())


@api.get("/flood")
async def flood() -> Stream:
    async def bytes_without_end() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    return Stream(bytes_without_end())


@api.websocket("/ws")
async def ws(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket:
        if message == "later":
            await asyncio.sleep(0.05)
            message = "now"
        await websocket.send(message)
