"""What goes wrong around a server: clients that stall, Redis that comes and goes, a stop in the middle of things."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections import Counter

import pytest

from .conftest import Serve
from .support import Answer, Postgres, request, until
from .test_channels import Redis, redis
from .test_uploads import KIND, form

__all__ = ["redis"]


def test_sigterm_in_the_middle_of_an_upload(serve: Serve) -> None:
    server = serve("uploads", "--workers=1")
    body = form(400_000)
    head = request("PUT", "/upload", KIND, f"content-length: {len(body)}")
    with server.connect() as connection:
        connection.sendall(head + body[:200_000])
        until(lambda: server.get("/pid").status == 200)
        server.process.send_signal(signal.SIGTERM)

        def is_closed() -> bool:
            try:
                server.connect().close()
            except ConnectionRefusedError:
                return True
            return False

        until(is_closed)
        connection.sendall(body[200_000:])
        answer = Answer.read(connection.makefile("rb"))
    assert (answer.status, answer.json()[1], answer.headers["connection"]) == (200, 400_000, "close")
    assert server.process.wait(30) == 0


def test_a_client_that_never_reads_is_cut_off_and_nobody_else_notices(serve: Serve) -> None:
    server = serve("streams", "--workers=1", PLECTRUM_WRITE_TIMEOUT="0.5")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request("GET", "/endless"))
        # Its generator learns that it is over.
        until(lambda: server.get("/events").json()[-1:] == ["closed"])
        connection.settimeout(10)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(1 << 20):
                received += len(piece)
        assert received < 10_000_000


@pytest.mark.postgresql
def test_redis_gone_and_back(serve: Serve, database: Postgres, redis: Redis) -> None:
    server = serve(
        "cached", "--workers=1", DATABASE_URL=database.url, PLECTRUM_CACHE_REDIS=redis.url,
        PLECTRUM_READY_PATH="/ready",
    )  # fmt: skip
    status = "cache-status"

    def order(key: str) -> int:
        return server.ask("POST", "/order?seconds=0", f"idempotency-key: {key}").status

    def ready() -> str:
        return str(server.get("/ready").json()["checks"]["redis cache"])

    assert [server.get("/kept?seconds=0").headers[status] for _ in range(2)][1] == "plectrum; hit"
    assert (order("a"), ready()) == (200, "ok")
    redis.stop()
    until(lambda: ready() == "failed")
    assert [server.get("/kept?seconds=0").status for _ in range(3)] == [200, 200, 200]
    assert order("b") == 503
    redis.start()
    until(lambda: ready() == "ok")
    until(lambda: order("b") == 200)
    until(lambda: server.get("/kept?seconds=0").headers[status] == "plectrum; hit")


def test_connections_spread_over_workers(serve: Serve) -> None:
    server = serve("handlers", "--workers=2")
    seen = Counter(server.get("/pid").json() for _ in range(600))
    assert len(seen) == 2
    assert max(seen.values()) <= 1.2 * 300, seen
