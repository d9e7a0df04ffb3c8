"""Groups and event streams for the contract tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from plectrum import API, Event, EventStream, Header, WebSocket
from plectrum.channels import Group, get_channel_layer

api = API()
layer = get_channel_layer()
cancelled: list[str] = []


@api.websocket("/rooms/{room}")
async def room(websocket: WebSocket, room: str, name: str) -> None:
    await websocket.accept()
    group = Group(room)
    group.add(websocket, name)
    await websocket.send_json({"pid": os.getpid()})
    async for message in websocket:
        if message == "leave":
            group.discard(websocket)
            await websocket.send("left")
        else:
            group.send(message)


@api.get("/rooms/{room}/present")
async def present(room: str) -> list[str]:
    return await Group(room).present()


@api.post("/rooms/{room}")
async def say(room: str, text: str) -> int:
    return Group(room).send_json({"text": text, "pid": os.getpid()})


@api.get("/layer/{group}")
async def listen(group: str) -> EventStream:
    """Events of a group of channels."""
    channel = await layer.new_channel()
    await layer.group_add(group, channel)

    async def events() -> AsyncIterator[Any]:
        yield {"pid": os.getpid()}
        try:
            while True:
                yield await layer.receive(channel)
        finally:
            await layer.close_channel(channel)

    return EventStream(events())


@api.post("/layer/{group}")
async def send(group: str, text: str) -> None:
    await layer.group_send(group, {"type": "note", "text": text})


@api.get("/events")
async def events(last: Annotated[int, Header(alias="last-event-id")] = 0) -> EventStream:
    async def some() -> AsyncIterator[Event]:
        for number in range(last + 1, last + 4):
            yield Event({"n": number}, event="count", id=number, retry=500)

    return EventStream(some())


@api.get("/plain")
async def plain() -> EventStream:
    def some() -> Iterator[object]:
        yield "two\nlines"
        yield Event(comment="only")
        yield [1, None]

    return EventStream(some())


@api.get("/silent")
async def silent() -> EventStream:
    async def nothing() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(3600)
            yield "never"
        except asyncio.CancelledError:
            cancelled.append("silent")
            raise

    return EventStream(nothing(), heartbeat=0.1)


@api.get("/cancelled")
async def read_cancelled() -> list[str]:
    return cancelled


@api.get("/flood")
async def flood() -> EventStream:
    async def many() -> AsyncIterator[str]:
        for number in range(100_000):
            cancelled.append(f"flood {number}")
            yield "x" * 10_000

    return EventStream(many())
