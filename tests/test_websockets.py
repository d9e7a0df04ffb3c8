"""WebSockets in process, and what is refused when an API starts."""

from __future__ import annotations

from typing import Any

import pytest

from plectrum import API, ConfigurationError, Forbidden, Schema, WebSocket, WebSocketDisconnect
from plectrum.channels import Group
from plectrum.testing import TestClient, WebSocketRefused


class Item(Schema):
    name: str


def test_a_session_is_a_conversation() -> None:
    api = API()
    ended: list[tuple[int, str]] = []

    @api.websocket("/ws/{room}")
    async def talk(websocket: WebSocket, room: int) -> None:
        await websocket.accept(subprotocol=websocket.subprotocols[0], headers={"x-room": str(room)})
        await websocket.send_json({"cookie": websocket.request.cookie("c")})
        try:
            while True:
                await websocket.send(await _either(websocket))
        except WebSocketDisconnect as gone:
            ended.append((gone.code, gone.reason))

    with TestClient(api) as client:
        with client.websocket("/ws/7", subprotocols=["a", "b"], cookies={"c": "1"}) as session:
            assert session.subprotocol == "a"
            assert session.response.headers["x-room"] == "7"
            assert session.receive_json() == {"cookie": "1"}
            for message in ("text", b"bytes", "x" * 100_000):
                session.send(message)
                assert session.receive() == message
            session.close(4001, "enough")
        assert ended == [(4001, "enough")]


async def _either(websocket: WebSocket) -> str | bytes:
    async for message in websocket:
        return message
    await websocket.receive_text()  # raises how it ended
    raise AssertionError


def test_what_the_server_refuses_or_ends() -> None:
    api = API()

    @api.websocket("/forbidden")
    async def forbidden(websocket: WebSocket) -> None:
        raise Forbidden("not you")

    @api.websocket("/ends")
    async def ends(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(3000, "over")

    @api.websocket("/silent")
    async def silent(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive()

    with TestClient(api) as client:
        with pytest.raises(WebSocketRefused, match="not you") as refused:
            client.websocket("/forbidden")
        assert refused.value.response.status_code == 403
        with pytest.raises(WebSocketRefused, match="404"):
            client.websocket("/nowhere")
        with client.websocket("/ends") as session, pytest.raises(WebSocketDisconnect) as ended:
            session.receive()
        assert (ended.value.code, ended.value.reason) == (3000, "over")
        with client.websocket("/silent", timeout=0.05) as session, pytest.raises(TimeoutError):
            session.receive()


def test_groups_in_process() -> None:
    api = API()

    @api.websocket("/group")
    async def group(websocket: WebSocket) -> None:
        await websocket.accept()
        Group("g").add(websocket)
        await websocket.send("in")
        await websocket.receive()

    @api.post("/group")
    async def send(text: str) -> int:
        return Group("g").send(text)

    with TestClient(api) as client, client.websocket("/group") as one, client.websocket("/group") as two:
        assert [one.receive(), two.receive()] == ["in", "in"]
        assert client.post("/group?text=news").json() == 2
        assert [one.receive(), two.receive()] == ["news", "news"]
        one.close()
        assert client.post("/group?text=more").json() == 1


def _nothing() -> API:
    api = API()

    @api.websocket("/ws")
    async def takes_nothing() -> None: ...

    return api


def _elsewhere() -> API:
    api = API()

    @api.get("/http")
    async def takes_a_socket(websocket: WebSocket) -> None: ...

    return api


def _body() -> API:
    api = API()

    @api.websocket("/ws")
    async def takes_a_body(websocket: WebSocket, item: Item) -> None: ...

    return api


def _sync() -> API:
    api = API()

    @api.websocket("/ws", sync=True)
    def blocks(websocket: WebSocket) -> None: ...

    return api


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_nothing, r"takes_nothing\(\) takes no WebSocket. Add a parameter: websocket: WebSocket."),
        (_elsewhere, r"takes_a_socket\(\) takes a WebSocket. Register it with @api.websocket\('/http'\)."),
        (_body, r"takes_a_body\(\) takes a body, which the request for a WebSocket has not."),
        (_sync, r"blocks\(\) is a WebSocket's handler, which cannot run in the thread pool"),
    ],
)
def test_mistakes_are_found_at_start(make: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make().compile()
