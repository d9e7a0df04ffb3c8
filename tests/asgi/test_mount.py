"""Mounting ASGI applications: what is refused at the start, and the test client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from plectrum import API
from plectrum.errors import ConfigurationError
from plectrum.testing import TestClient


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"hello from {request.scope['root_path'] or 'the root'}")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


app = Starlette(routes=[Route("/hello", hello), WebSocketRoute("/talk", talk)])


def test_routes_of_the_api_win() -> None:
    api = API()

    @api.get("/hello")
    async def own() -> str:
        return "own"

    api.mount_asgi("/", app)
    api.mount_asgi("/below", app)
    with TestClient(api) as client:
        assert client.get("/hello").json() == "own"
        assert client.get("/below/hello").text == "hello from /below"
        assert client.get("/nowhere").text == "Not Found"


def test_websockets_in_a_test_client() -> None:
    api = API()
    api.mount_asgi("/", app)
    with TestClient(api) as client, client.websocket("/talk") as socket:
        socket.send("hello")
        assert socket.receive() == "hello"


def test_a_lifespan_in_a_test_client() -> None:
    seen: list[str] = []

    async def living(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                seen.append(message["type"])
                scope["state"]["number"] = 7
                await send({"type": f"{message['type']}.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(scope["state"]).encode()})

    api = API()
    api.mount_asgi("/app", living)
    with TestClient(api) as client:
        assert client.get("/app").text == "{'number': 7}"
    assert seen == ["lifespan.startup", "lifespan.shutdown"]


def test_mount_takes_whatever_can_be_mounted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a file")
    second = API(prefix="/v2")

    @second.get("/items/{item}", name="item-v2")
    async def item(item: int) -> dict[str, int]:
        return {"item": item}

    second.static("/files", tmp_path)
    api = API()
    api.mount("/api", second)
    api.mount("/star", app)
    with TestClient(api) as client:
        assert client.get("/api/v2/items/7").json() == {"item": 7}
        assert client.get("/api/v2/files/a.txt").text == "a file"
        assert client.get("/star/hello").text == "hello from /star"
    assert api.reverse("item-v2", item=7) == "/api/v2/items/7"
    with pytest.raises(ConfigurationError, match="without options: lifespan"):
        api.mount("/api", second, lifespan=False)
    with pytest.raises(ConfigurationError, match="is no ASGI application"):
        api.mount("/api", object())


@pytest.mark.parametrize(
    ("path", "mounted", "said"),
    [
        ("app", app, r'the path starts with "/"'),
        ("/app/", app, r'the path starts with "/"'),
        ("/app", lambda environ, start_response: [], "is no ASGI application"),
        ("/app", "tests.asgi", "is no ASGI application"),
    ],
)
def test_what_cannot_be_mounted(path: str, mounted: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        API().mount_asgi(path, mounted)
