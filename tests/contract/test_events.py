"""Server-sent events over real sockets."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator

import pytest

from .conftest import Serve
from .support import Server, request, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server("rooms", tmp_path_factory.mktemp("rooms") / "log", "--workers=1")
    yield running
    running.close()


def listen(server: Server, path: str, *headers: str) -> tuple[socket.socket, bytes]:
    """A connection and the beginning of its answer."""
    connection = server.connect()
    connection.sendall(request("GET", path, *headers))
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(10_000)
    return connection, head


def test_events_as_browsers_read_them(server: Server) -> None:
    answer = server.get("/events")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.body.decode() == "".join(
        f'event: count\nid: {n}\nretry: 500\ndata: {{"n":{n}}}\n\n' for n in (1, 2, 3)
    )


def test_a_client_that_comes_back_goes_on_where_it_was(server: Server) -> None:
    assert server.get("/events", "last-event-id: 7").body.startswith(b"event: count\nid: 8\n")


def test_plain_generators_text_and_values(server: Server) -> None:
    assert server.get("/plain").body == b"data: two\ndata: lines\n\n: only\n\ndata: [1,null]\n\n"


def test_silence_is_broken_and_a_client_that_leaves_cancels(server: Server) -> None:
    connection, received = listen(server, "/silent")
    with connection:
        while received.count(b":\n\n") < 3:
            received += connection.recv(1000)
    until(lambda: server.get("/cancelled").json() == ["silent"])


def test_a_client_that_does_not_read_slows_its_generator(server: Server) -> None:
    connection, _ = listen(server, "/flood")
    with connection:
        before, now = -1, 0
        while now > before:
            time.sleep(0.5)
            before, now = now, len(server.get("/cancelled").json())
        # What the kernel's buffers hold, some megabytes, and 64 KiB.
        assert 5 < now < 2000


def test_streams_end_when_the_server_stops(serve: Serve) -> None:
    server = serve("rooms", "--workers=1")
    connection, received = listen(server, "/silent")
    with connection:
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while piece := connection.recv(1000):
            received += piece
        # A proper end, so that the client comes back at once.
        assert received.endswith(b"0\r\n\r\n")
    assert server.process.wait(10) == 0
    assert time.monotonic() - started < 5
