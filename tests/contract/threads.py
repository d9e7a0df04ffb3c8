"""Served by threads of one process, on a free-threaded Python."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import os
import threading

from plectrum import API, Request, Schema

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
