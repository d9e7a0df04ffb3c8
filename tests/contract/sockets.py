"""WebSocket routes for the contract tests."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Annotated

from plectrum import API, Depends, Header, NotFound, Request, WebSocket, WebSocketDisconnect

api = API()
log: list[str] = []
mood: contextvars.ContextVar[str] = contextvars.ContextVar("mood", default="none")


@api.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket:
        await websocket.send(message)


@api.websocket("/rooms/{room}")
async def room(websocket: WebSocket, room: int, user: str, agent: Annotated[str, Header(alias="user-agent")]) -> None:
    if room > 9:
        raise NotFound(f"There is no room {room}.")
    await websocket.accept(headers={"x-room": str(room)})
    await websocket.send_json({"room": room, "user": user, "agent": agent, "path": websocket.request.path})


@api.websocket("/protocols")
async def protocols(websocket: WebSocket) -> None:
    offered = websocket.subprotocols
    await websocket.accept(subprotocol="chat.v2" if "chat.v2" in offered else None)
    await websocket.send_json(offered)
    await websocket.close(3001, "done")


@api.websocket("/refuse")
async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


@api.websocket("/returns")
async def returns(websocket: WebSocket) -> None:
    """Never accepts."""


@api.websocket("/late")
async def late(websocket: WebSocket) -> None:
    await asyncio.sleep(0.05)
    await websocket.accept()
    await websocket.send_text("at last")


@api.websocket("/fails")
async def fails(websocket: WebSocket) -> None:
    await websocket.accept()
    raise ValueError("a mistake of the handler's")


@api.websocket("/forms")
async def forms(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json([await websocket.receive_text(), list(await websocket.receive_bytes())])
    await websocket.send_json({"json": await websocket.receive_json()})
    await websocket.send(await websocket.receive())
    await websocket.receive_text()


@api.websocket("/timeout")
async def timeout(websocket: WebSocket) -> None:
    """A wait that is cancelled loses no message, and the task stays the same."""
    await websocket.accept()
    task = asyncio.current_task()
    mood.set("patient")
    try:
        async with asyncio.timeout(0.05):
            await websocket.receive_text()
    except TimeoutError:
        await websocket.send_text("timeout")
    message = await websocket.receive_text()
    await websocket.send_json([message, mood.get(), task is asyncio.current_task()])


@api.websocket("/tasks")
async def tasks(websocket: WebSocket) -> None:
    """Receives in a task of its own while another one sends; a second receiver is refused."""
    await websocket.accept()

    async def receive() -> str:
        return await websocket.receive_text()

    first = asyncio.create_task(receive())
    await asyncio.sleep(0)
    try:
        await websocket.receive_text()
    except RuntimeError as error:
        await websocket.send_text(str(error))
    await websocket.send_text((await asyncio.gather(first, asyncio.sleep(0)))[0])


@api.websocket("/flood")
async def flood(websocket: WebSocket) -> None:
    """Sends until the client has read for a while; how much was queued at most shows in /sent."""
    await websocket.accept()
    for number in range(100_000):
        await websocket.send_bytes(bytes(10_000))
        log.append(f"sent {number}")


@api.websocket("/goodbye")
async def goodbye(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        await websocket.receive_text()
    except WebSocketDisconnect as disconnect:
        log.append(f"{disconnect.code} {disconnect.reason}")


async def caller(request: Request) -> str:
    return request.header("x-caller", "nobody") or ""


@api.websocket("/depends")
async def depends(websocket: WebSocket, caller: Annotated[str, Depends(caller)]) -> None:
    await websocket.accept()
    await websocket.send_text(caller)


@api.get("/log")
async def read_log() -> list[str]:
    found = log.copy()
    log.clear()
    return found
