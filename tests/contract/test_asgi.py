"""ASGI applications in the same process, over a real socket: `api.mount_asgi`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.contract.support import ROOT, Server, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("asgi") / "log"
    served = Server("asgi", log, "--workers=1", environ={"PLECTRUM_MAX_BODY": "1000000"})
    yield served
    served.close()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client


def test_what_starlette_sees(server: Server, client: httpx.Client) -> None:
    headers = [("x-two", "1"), ("x-two", "2")]
    answer = client.post("/star/echo?q=a%20b", content=b"hello", headers=headers)
    here = f"http://127.0.0.1:{server.port}/star/echo"
    assert answer.json() == {
        "method": "POST",
        "url": f"{here}?q=a%20b",
        "path": "/star/echo",
        "root_path": "/star",
        "query": {"q": "a b"},
        "header": ["1", "2"],
        "body": "hello",
        "client": "127.0.0.1",
        "greeting": "hello",
        "here": here,
    }
    assert answer.headers["x-own"] == "ja"
    assert client.get("/star/deeper/echo").json()["root_path"] == "/star/deeper"
    assert client.get("/star/nowhere").text == "Not Found"  # Starlette's own
    refused = client.delete("/star/echo")
    assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST", "PUT"})


def test_head_has_the_length_of_what_get_would_give(client: httpx.Client) -> None:
    got = client.get("/star/echo")
    head = client.head("/star/echo")
    assert (head.status_code, head.content) == (200, b"")
    assert abs(int(head.headers["content-length"]) - len(got.content)) <= 1  # "HEAD" is longer than "GET"


def test_streams_go_both_ways_at_once(client: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(50):
            yield f"piece {number}\n".encode() * 100

    answer = client.post("/star/stream", content=pieces())
    assert answer.text == "".join(f"PIECE {number}\n" * 100 for number in range(50))


def test_a_client_that_goes_away(server: Server, client: httpx.Client) -> None:
    with httpx.Client() as other, other.stream("GET", f"http://127.0.0.1:{server.port}/star/endless") as answer:
        assert next(answer.iter_text()).startswith("tick")
    until(lambda: "endless is over" in client.get("/api/seen").json())


def test_exceptions_are_500s_with_their_trace_in_the_log(server: Server, client: httpx.Client) -> None:
    answer = client.get("/star/broken")
    assert answer.status_code == 500
    assert 'raise LookupError("broken in Starlette")' in server.log
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/star/broken-later")
    until(lambda: "LookupError: broken later" in server.log)
    assert client.get("/silent").status_code == 500
    assert "The application returned without an answer" in server.log
    assert client.get("/confused/").status_code == 500
    assert "'http.response.body' where 'http.response.start' is due" in server.log


def test_a_body_past_the_limit_is_refused(client: httpx.Client) -> None:
    assert client.post("/star/large", content=b"x" * 900_000).text == "900000"

    def pieces() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x" * 100_000

    assert client.post("/star/large", content=pieces()).status_code == 413


def test_websockets(server: Server, client: httpx.Client) -> None:
    url = f"ws://127.0.0.1:{server.port}/star/talk"
    with connect(url, subprotocols=["chat"]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "chat"
        assert socket.response is not None
        assert socket.response.headers["x-own"] == "ja"
        socket.send("hello")
        assert json.loads(socket.recv()) == {"said": "hello", "state": "hello", "path": "/star/talk"}
        socket.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "as you wish")
    with connect(url, subprotocols=["chat"]) as socket:  # type: ignore[list-item]
        socket.close(4005)
    until(lambda: "gone 4005" in client.get("/api/seen").json())
    with connect(url, subprotocols=["chat"]) as socket:  # type: ignore[list-item]
        socket.send("break")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
    assert "broken in a WebSocket" in server.log


def test_websockets_that_are_refused(server: Server) -> None:
    for path in ("/star/refuse", "/star/nowhere"):
        with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{server.port}{path}"):
            pass
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{server.port}/star/refuse", origin="http://evil.test")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


def test_fastapi(server: Server, client: httpx.Client) -> None:
    assert client.get("/fast/items/7?q=x").json() == {"item": 7, "q": "x"}
    assert client.get("/fast/items/seven").status_code == 422
    assert client.get("/fast/openapi.json").json()["servers"] == [{"url": "/fast"}]
    uploaded = client.post("/fast/upload", content=b"x" * 300_000, headers={"content-type": "image/png"})
    assert uploaded.json() == {"type": "image/png", "size": 300_000}
    with connect(f"ws://127.0.0.1:{server.port}/fast/ws/ada") as socket:
        assert socket.recv() == "hello ada"
        socket.send(b"abc")
        assert socket.recv() == b"cba"


def test_django(server: Server, client: httpx.Client) -> None:
    assert client.get("/django/page").text == f"/django/page 127.0.0.1:{server.port} http"
    assert client.get("/django/rows").text == "0\n1\n2\n"
    assert client.get("/django/nowhere").status_code == 404


def test_a_lifespan(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    served = Server("asgi", tmp_path / "log", "--workers=1", environ={"ASGI_NOTES": str(notes)})
    try:
        assert notes.read_text() == "started\n"
        served.stop()
        assert notes.read_text() == "started\nstopped\n"
    finally:
        served.close()


def test_an_application_that_cannot_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "plectrum", "run", "tests.contract.asgi:api", "--port=0", "--workers=1"]
    environ = {"ASGI_FAILS": "1", "PATH": "/usr/bin:/bin", "PLECTRUM_SPARE_WORKER": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "The ASGI application Starlette at /star failed to start" in done.stderr
    assert "no such database" in done.stderr
