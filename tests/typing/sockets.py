"""Real time as users write it; mypy and pyright check it strictly, nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, assert_type

from catalog.models import Article

from plectrum import API, Event, EventStream, WebSocket, WebSocketDisconnect
from plectrum.channels import Group, get_channel_layer
from plectrum.testing import TestClient

api = API()
api.feed(Article, filters=["slug"], history=10)


@api.websocket("/rooms/{room}", origins=["https://app.example.com"])
async def chat(websocket: WebSocket, room: str) -> None:
    await websocket.accept(subprotocol=websocket.subprotocols[0])
    group = Group(room)
    group.add(websocket, "ada")
    async for message in websocket:
        assert_type(message, str | bytes)
        assert_type(group.send(message), int)
    async for text in websocket.iter_text():
        assert_type(text, str)
    try:
        assert_type(await websocket.receive_bytes(), bytes)
    except WebSocketDisconnect as gone:
        assert_type(gone.code, int)
    assert_type(await group.present(), list[str])
    await websocket.close(3000, "over")


@api.get("/events")
async def events() -> EventStream:
    async def some() -> AsyncIterator[Event]:
        yield Event({"n": 1}, event="count", id=1, retry=500)

    return EventStream(some(), heartbeat=None)


@api.get("/notes")
async def notes() -> dict[str, Any]:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("notes", channel)
    return await layer.receive(channel)


with TestClient(api).websocket("/rooms/1", subprotocols=["chat"]) as session:
    session.send("text")
    assert_type(session.receive(), str | bytes)
