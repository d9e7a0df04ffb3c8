"""ASGI applications beside an API: Starlette, FastAPI, Django's own, and ones that break the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from fastapi import FastAPI
from fastapi import WebSocket as FastAPIWebSocket
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from plectrum import API

settings.configure(SECRET_KEY="tests", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF="tests.contract.asgi", USE_TZ=True)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path, reverse  # noqa: E402

#: What happened, for `/api/seen`.
SEEN: list[str] = []
NOTES = os.environ.get("ASGI_NOTES")


def note(what: str) -> None:
    SEEN.append(what)
    if NOTES:
        with Path(NOTES).open("a") as file:
            file.write(f"{what}\n")


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    note("started")
    if os.environ.get("ASGI_FAILS"):
        raise RuntimeError("no such database")
    yield {"greeting": "hello"}
    note("stopped")


async def echo(request: Request) -> JSONResponse:
    return JSONResponse(
        {
            "method": request.method,
            "url": str(request.url),
            "path": request.url.path,
            "root_path": request.scope["root_path"],
            "query": dict(request.query_params),
            "header": request.headers.getlist("x-two"),
            "body": (await request.body()).decode(),
            "client": request.client.host if request.client else None,
            "greeting": request.state.greeting,
            "here": str(request.url_for("echo")),
        },
        headers={"X-Own": "ja"},
    )


async def stream(request: Request) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        async for piece in request.stream():
            if piece:
                yield piece.upper()

    return StreamingResponse(pieces(), media_type="text/plain")


async def endless(request: Request) -> StreamingResponse:
    async def ticks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick\n"
                await asyncio.sleep(0.01)
        finally:
            note("endless is over")

    return StreamingResponse(ticks())


async def broken(request: Request) -> Response:
    raise LookupError("broken in Starlette")


async def broken_later(request: Request) -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        yield "begun"
        raise LookupError("broken later")

    return StreamingResponse(pieces())


async def large(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def talk(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="chat", headers=[(b"x-own", b"ja")])
    try:
        while True:
            text = await websocket.receive_text()
            if text == "close":
                await websocket.close(4001, "as you wish")
                return
            if text == "break":
                raise LookupError("broken in a WebSocket")
            await websocket.send_json({"said": text, "state": websocket.state.greeting, "path": websocket.url.path})
    except WebSocketDisconnect as gone:
        note(f"gone {gone.code}")


async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


starlette = Starlette(
    routes=[
        Route("/echo", echo, methods=["GET", "POST", "PUT"]),
        Route("/stream", stream, methods=["POST"]),
        Route("/endless", endless),
        Route("/broken", broken),
        Route("/broken-later", broken_later),
        Route("/large", large, methods=["POST"]),
        WebSocketRoute("/talk", talk),
        WebSocketRoute("/refuse", refuse),
        Mount("/deeper", routes=[Route("/echo", echo)]),
    ],
    lifespan=lifespan,
)

fastapi = FastAPI()


@fastapi.get("/items/{item}")
async def read(item: int, q: str | None = None) -> dict[str, Any]:
    return {"item": item, "q": q}


@fastapi.post("/upload")
async def upload(request: Request) -> dict[str, Any]:
    return {"type": request.headers["content-type"], "size": len(await request.body())}


@fastapi.websocket("/ws/{name}")
async def ws(websocket: FastAPIWebSocket, name: str) -> None:
    await websocket.accept()
    await websocket.send_text(f"hello {name}")
    data = await websocket.receive_bytes()
    await websocket.send_bytes(data[::-1])


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{reverse('page')} {request.get_host()} {request.scheme}")


def rows(request: HttpRequest) -> StreamingHttpResponse:
    async def made() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"

    return StreamingHttpResponse(made())


urlpatterns = [path("page", page, name="page"), path("rows", rows)]


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """Returns without an answer, and knows no lifespan."""
    assert scope["type"] == "http"


async def confused(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.body", "body": b"no head"})


api = API(prefix="/api")


@api.get("/seen")
async def seen() -> list[str]:
    return SEEN


api.mount_asgi("/star", starlette)
api.mount_asgi("/fast", fastapi)
api.mount_asgi("/django", get_asgi_application(), lifespan=False)
api.mount_asgi("/silent", silent)
api.mount_asgi("/confused", confused, lifespan=False)

if __name__ == "__main__":
    sys.exit(0)
