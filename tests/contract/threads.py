"""Served by threads of one process, on a free-threaded Python."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import os
import threading
from collections.abc import AsyncIterator
from typing import Any

from plectrum import API, EventStream, Request, Schema, WebSocket
from plectrum.channels import Group

api = API(title="Threads")
label: contextvars.ContextVar[str] = contextvars.ContextVar("label", default="")


class Line(Schema):
    """An item and how many of it."""

    name: str
    count: int


@dataclasses.dataclass
class Order:
    """Lines, and what they add up to."""

    lines: list[Line]
    total: int


@api.get("/where")
async def where() -> list[int]:
    return [os.getpid(), threading.get_ident()]


@api.post("/orders")
async def add_up(lines: list[Line]) -> Order:
    return Order(lines, sum(line.count for line in lines))


@api.get("/waits")
async def waits(text: str, request: Request) -> dict[str, str | None]:
    """What a context variable and the request hold after other requests had their turn."""
    label.set(text)
    await asyncio.sleep(0)
    await asyncio.to_thread(lambda: None)
    return {"label": label.get(), "header": request.header("x-label")}


@api.get("/sync", sync=True)
def sync(text: str) -> str:
    return text.upper()


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


# -- what threads share besides ---------------------------------------------------------------------------------------


@dataclasses.dataclass
class Shared:
    """Compiled by whoever needs it first."""

    text: str
    lines: list[Line]


@api.get("/compiled")
async def compiled(text: str, new: bool) -> list[Any]:
    """Validates by a schema that others compile at the same time, or that is compiled here."""
    made = dataclasses.make_dataclass("Made", [("text", str), ("lines", list[Line])]) if new else Shared
    value: Any = Schema.from_dataclass(made).validate({"text": text, "lines": [{"name": text, "count": 1}]})
    return [type(value).__name__, value.text, value.lines[0].name]


@api.get("/kept", cache=0.05)
async def kept(text: str) -> str:
    await asyncio.sleep(0.001)
    return text


@api.get("/limited", throttle="100/hour")
async def limited() -> str:
    return "in"


@api.get("/counted")
async def counted(text: str) -> EventStream:
    async def events() -> AsyncIterator[str]:
        for number in range(20):
            yield f"{text} {number}"
            await asyncio.sleep(0)

    return EventStream(events())


@api.websocket("/rooms/{room}")
async def room(websocket: WebSocket, room: str) -> None:
    await websocket.accept()
    group = Group(room)
    group.add(websocket)
    await websocket.send("in")
    async for message in websocket:
        group.send(message)
