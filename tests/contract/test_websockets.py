"""WebSockets against an independent client (the `websockets` package) over real sockets."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from .conftest import Serve
from .support import Server, request, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server("sockets", tmp_path_factory.mktemp("sockets") / "log", "--workers=1")
    yield running
    running.close()


@contextlib.contextmanager
def opened(server: Server, path: str, **options: Any) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{server.port}{path}", **options) as websocket:
        yield websocket


@contextlib.contextmanager
def raw(server: Server, path: str) -> Iterator[socket.socket]:
    """A connection after its handshake, without a client that reads."""
    upgrade = ("upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13")
    with server.connect() as connection:
        connection.sendall(request("GET", path, *upgrade, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="))
        assert connection.recv(12) == b"HTTP/1.1 101"
        yield connection


def refused(server: Server, path: str, **options: Any) -> tuple[int, Any]:
    with pytest.raises(InvalidStatus) as caught, opened(server, path, **options):
        pass
    response = caught.value.response
    return response.status_code, json.loads(response.body or b"null")


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_come_back(server: Server, compression: str | None) -> None:
    with opened(server, "/echo", compression=compression) as websocket:
        for message in ("", "häuschen", b"", b"\x00\xff", "x" * 100_000, b"y" * 1_000_000, '{"a": 1}' * 500):
            websocket.send(message)
            assert websocket.recv() == message
        websocket.send(iter(["in ", "", "pieces"]))
        assert websocket.recv() == "in pieces"
        assert websocket.ping().wait(5)


def test_parameters_are_validated_before_the_handshake(server: Server) -> None:
    with opened(server, "/rooms/7?user=ada", user_agent_header="test") as websocket:
        assert websocket.response is not None
        assert websocket.response.headers["x-room"] == "7"
        assert json.loads(websocket.recv()) == {"room": 7, "user": "ada", "agent": "test", "path": "/rooms/7"}
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    status, problem = refused(server, "/rooms/seven")
    assert status == 422
    assert [error["loc"] for error in problem["errors"]] == [["query", "user"], ["path", "room"]] or [
        error["loc"] for error in problem["errors"]
    ] == [["path", "room"], ["query", "user"]]
    assert refused(server, "/rooms/10?user=ada")[0] == 404


def test_handshakes_that_are_refused(server: Server) -> None:
    assert refused(server, "/refuse")[0] == 403
    assert refused(server, "/returns")[0] == 403
    assert refused(server, "/echo", origin="https://elsewhere.org")[0] == 403
    with opened(server, "/echo", origin=f"http://127.0.0.1:{server.port}"):
        pass
    answer = server.get("/echo")
    assert (answer.status, answer.headers["upgrade"], answer.headers["sec-websocket-version"]) == (
        426,
        "websocket",
        "13",
    )
    head = request("GET", "/echo", "upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13")
    assert server.send(head.replace(b"host", b"connection: close\r\nhost")).startswith(b"HTTP/1.1 400 ")


def test_subprotocols_and_a_close_of_the_servers(server: Server) -> None:
    with opened(server, "/protocols", subprotocols=["chat.v1", "chat.v2"]) as websocket:
        assert websocket.subprotocol == "chat.v2"
        assert json.loads(websocket.recv()) == ["chat.v1", "chat.v2"]
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3001, "done")


def test_a_handler_may_take_its_time_before_it_accepts(server: Server) -> None:
    with opened(server, "/late") as websocket:
        assert websocket.recv() == "at last"


def test_a_failing_handler_closes_with_1011_and_is_logged(server: Server) -> None:
    with opened(server, "/fails") as websocket, pytest.raises(ConnectionClosed) as closed:
        websocket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert "a mistake of the handler's" in server.log


def test_what_messages_are_received_as(server: Server) -> None:
    with opened(server, "/forms") as websocket:
        websocket.send("text")
        websocket.send(b"\x01\x02")
        assert json.loads(websocket.recv()) == ["text", [1, 2]]
        websocket.send('{"n": [1, null, 2.5]}')
        assert json.loads(websocket.recv()) == {"json": {"n": [1, None, 2.5]}}
        websocket.send(b"event")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011  # `websocket.receive` is no event to be sent


def test_a_wait_can_be_cancelled(server: Server) -> None:
    with opened(server, "/timeout") as websocket:
        assert websocket.recv() == "timeout"
        websocket.send("late")
        assert json.loads(websocket.recv()) == ["late", "patient", True]


def test_one_task_receives(server: Server) -> None:
    with opened(server, "/tasks") as websocket:
        assert "Another task is receiving" in str(websocket.recv())
        websocket.send("for the first")
        assert websocket.recv() == "for the first"


def test_dependencies_see_the_request(server: Server) -> None:
    with opened(server, "/depends", additional_headers={"x-caller": "ada"}) as websocket:
        assert websocket.recv() == "ada"


def test_a_client_that_does_not_read_makes_the_handler_wait(server: Server) -> None:
    server.get("/log")
    with raw(server, "/flood"):
        time.sleep(0.5)
        first = len(server.get("/log").json())
        time.sleep(0.3)
        # What the kernel's buffers hold, some megabytes, and 64 KiB.
        assert 5 < first < 2000
        assert server.get("/log").json() == []


def test_handlers_learn_why_it_ended(server: Server) -> None:
    server.get("/log")
    with opened(server, "/goodbye") as websocket:
        websocket.close(4000, "enough")
    with raw(server, "/goodbye"):
        pass
    found: list[str] = []
    until(lambda: found.extend(server.get("/log").json()) or len(found) == 2)
    assert found[0] == "4000 enough"
    assert found[1].startswith("1006 ")


def test_a_restart_is_announced(serve: Serve) -> None:
    server = serve("sockets", "--workers=1")
    with opened(server, "/echo") as websocket:
        websocket.send("before")
        assert websocket.recv() == "before"
        server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert server.process.wait(10) == 0
    assert time.monotonic() - started < 5
