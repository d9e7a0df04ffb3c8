"""Streams, files and background tasks, for `plectrum run`."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Iterator

from plectrum import API, BackgroundTasks, Request, Stream

api = API(title="Streams")

#: What handlers want remembered, asked for by `/events`.
events: list[str] = []


@api.get("/events")
async def told() -> list[str]:
    return events


@api.get("/ticks")
async def ticks(count: int = 3, pause: float = 0.05) -> Stream:
    async def items() -> AsyncIterator[str]:
        try:
            for number in range(count):
                yield f"{number}\n"
                await asyncio.sleep(pause)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise
        finally:
            events.append("closed")

    return Stream(items(), media_type="text/plain")


@api.get("/endless")
async def endless() -> Stream:
    """Never waits for anything but room in the queue."""

    async def items() -> AsyncIterator[bytes]:
        try:
            for number in itertools.count():
                events[:] = [f"made {number}"]
                yield b"x" * 10_000
        finally:
            events.append("closed")

    return Stream(items())


@api.get("/endless/plain")
async def endless_plain() -> Stream:
    def items() -> Iterator[bytes]:
        try:
            for number in itertools.count():
                events[:] = [f"made {number}"]
                yield b"x" * 10_000
        finally:
            events.append("closed")

    return Stream(items())


@api.get("/threads")
async def threads() -> Stream:
    return Stream(f"{threading.get_ident()} " for _ in range(20))


@api.get("/broken")
async def broken() -> Stream:
    async def items() -> AsyncIterator[bytes]:
        yield b"some"
        await asyncio.sleep(0.05)
        raise LookupError("no more")

    return Stream(items())


@api.get("/tasks")
async def tasks(tasks: BackgroundTasks, request: Request, pause: float = 0.2) -> str:
    def work() -> None:
        time.sleep(pause)
        events.append(f"done {request.method}")

    tasks.add(work)
    return "answered"
