"""Handlers of every temper, for `plectrum run`."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import httpx

from plectrum import API, Body, Cookie, Form, Header, NotFound, Request, Response, Schema

api = API(title="Contract")

#: What handlers want remembered, asked for by `/events`.
events: list[str] = []


class Person(Schema):
    name: str
    age: int = 0


@api.get("/pid")
async def pid() -> int:
    return os.getpid()


@api.get("/events")
async def told() -> list[str]:
    return events


leaked: list[bytes] = []


@api.get("/leak")
async def leak(size: int) -> int:
    """Keeps so many bytes for good; how much memory the process has now."""
    leaked.append(b"x" * size)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ── Plain ones ─────────────────────────────────────────────────────────────────────────────────────────────────


@api.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello, World!"}


@api.get("/large")
async def large(size: int) -> str:
    return "x" * size


@api.get("/items/{id}")
async def item(id: int, q: str = "", tag: list[str] = []) -> dict[str, Any]:  # noqa: B006
    return {"id": id, "q": q, "tag": tag}


@api.get("/files/{name:path}")
async def file(name: str) -> str:
    return name


@api.put("/items/{id}")
async def replace(id: int, person: Person) -> dict[str, Any]:
    return {"id": id, "name": person.name, "age": person.age}


@api.post("/people", status=201)
async def people(person: Person) -> Person:
    return person


@api.post("/pair")
async def pair(person: Person, note: Annotated[str, Body()]) -> list[Any]:
    return [person, note]


@api.post("/form")
async def form(a: Annotated[int, Form()], b: Annotated[list[str], Form()]) -> list[Any]:
    return [a, b]


@api.get("/head")
async def head(x_token: Annotated[str, Header()], sid: Annotated[int, Cookie()] = 0) -> list[Any]:
    return [x_token, sid]


@api.post("/raw")
async def raw(request: Request) -> Response:
    headers = {"x-method": request.method, "x-query": request.query_string}
    return Response(request.body, headers=headers, media_type="application/octet-stream")


@api.delete("/items/{id}", status=204)
async def delete(id: int) -> None:
    return None


@api.get("/missing")
async def missing() -> None:
    raise NotFound("Nobody here.", headers={"x-why": "gone"})


# ── Faulty ones ────────────────────────────────────────────────────────────────────────────────────────────────


@api.get("/raises")
async def raises() -> None:
    raise ValueError("secret detail")


@api.get("/raises-later")
async def raises_later() -> None:
    await asyncio.sleep(0)
    raise ValueError("secret detail, later")


@api.get("/unserializable")
async def unserializable() -> Any:
    return {"connection": Path}


@api.get("/unserializable-inside")
async def unserializable_inside() -> Any:
    return [{"deep": object()}]


@api.get("/nan")
async def nan() -> Any:
    return {"value": float("nan")}


@api.get("/cycle")
async def cycle() -> Any:
    endless: list[Any] = []
    endless.append(endless)
    return endless


@api.get("/surrogate")
async def surrogate() -> Any:
    return "\ud800"


@dataclasses.dataclass
class Endless:
    @property
    def again(self) -> Any:
        return self.again


@api.get("/recursion")
async def recursion() -> Any:
    return Endless().again


@api.get("/exits")
async def exits() -> None:
    sys.exit(3)


@api.get("/exits-later")
async def exits_later() -> None:
    await asyncio.sleep(0)
    raise SystemExit(3)


@api.get("/interrupts")
async def interrupts() -> None:
    raise KeyboardInterrupt


@api.get("/interrupts-later")
async def interrupts_later() -> None:
    await asyncio.sleep(0)
    raise KeyboardInterrupt


@api.get("/cancels")
async def cancels() -> None:
    raise asyncio.CancelledError


@api.get("/never")
async def never(name: str) -> None:
    events.append(f"{name} began")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        events.append(f"{name} cancelled")
        raise


@api.get("/stubborn")
async def stubborn() -> None:
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


@api.get("/sleep")
async def sleep(seconds: float, size: int = 10) -> str:
    await asyncio.sleep(seconds)
    return "x" * size


@api.get("/blocks")
async def blocks(seconds: float) -> str:
    time.sleep(seconds)
    return "woke"


@api.get("/sync", sync=True)
def sync(seconds: float = 0.0) -> str:
    time.sleep(seconds)
    return "done"


@api.get("/sync-raises", sync=True)
def sync_raises() -> None:
    raise SystemExit(4)


# ── asyncio ────────────────────────────────────────────────────────────────────────────────────────────────────


@api.get("/itself")
async def itself(port: int) -> Any:
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(client.get(f"http://127.0.0.1:{port}/items/{n}") for n in range(5)))
    return [answer.json()["id"] for answer in answers]


@api.get("/timeout")
async def timeout() -> str:
    try:
        async with asyncio.timeout(0.05):
            await asyncio.sleep(3600)
    except TimeoutError:
        return "timed out"
    return "not reached"


@api.get("/tasks")
async def tasks() -> Any:
    async def double(number: int) -> int:
        await asyncio.sleep(0.001 * (5 - number))
        return number * 2

    async with asyncio.TaskGroup() as group:
        doubled = [group.create_task(double(number)) for number in range(5)]
    return [task.result() for task in doubled]


@api.get("/thread")
async def thread() -> str:
    return await asyncio.to_thread(lambda: current.get() or "no value")


@api.get("/process")
async def process() -> str:
    running = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    output, _ = await running.communicate(b"through a pipe")
    return output.decode()


current: contextvars.ContextVar[str] = contextvars.ContextVar("current", default="")


@api.get("/context")
async def context(value: str) -> list[str]:
    before = current.get()
    current.set(value)
    await asyncio.sleep(0.01)
    return [before, current.get(), await asyncio.to_thread(current.get)]


_background: set[asyncio.Task[None]] = set()


@api.get("/background")
async def background(name: str) -> str:
    async def later() -> None:
        await asyncio.sleep(0.1)
        events.append(f"{name} finished")

    task = asyncio.create_task(later())
    _background.add(task)
    task.add_done_callback(_background.discard)
    return "started"
